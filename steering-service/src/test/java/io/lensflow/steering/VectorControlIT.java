package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What one does with published vectors: roll them out, back, compare, combine, carry away. */
@ExtendWith(KafkaExtension.class)
class VectorControlIT {
  private static RunningService running;

  @BeforeAll
  static void start(KafkaEnvironment kafka) throws Exception {
    running = new RunningService(kafka, Map.of());
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  private static Answer publish(String model, String name, int layer, String values) {
    Answer answer =
        running
            .http()
            .post(
                vector(model, name),
                "{'layer': %d, 'hookPoint': 'RESIDUAL_POST', 'values': %s, 'description': 'of %s'}"
                    .formatted(layer, values, values));
    assertThat(answer.status()).as(answer.text()).isEqualTo(201);
    return answer;
  }

  private static String values(String model, String name, String version) {
    return running
        .http()
        .get(vector(model, name) + "/versions/" + version + "?values=true")
        .json()
        .at("/sites/0/values")
        .toString();
  }

  @Test
  void shouldAnswerWhenEveryWorkerHasAppliedItWhenAskedToWait() {
    publish("c1", "v", 1, "[1, 2]");
    running.heartbeat("c1", "w1", List.of(), List.of());
    running.awaitWorker("c1", "v");

    CompletableFuture<Answer> waiting =
        running
            .http()
            .sendAsync("POST", vector("c1", "v") + "?wait=20s", "{'layer': 1, 'values': [3, 4]}");
    Await.until(
        "it is written",
        RunningService.LIMIT,
        () -> running.http().get(vector("c1", "v")).json().get("latest").asInt() == 2);
    assertThat(waiting).isNotDone();
    running.heartbeat("c1", "w1", List.of(new VectorVersion("v", 2)), List.of());

    JsonNode rollout = waiting.join().json().get("rollout");
    assertThat(rollout.get("complete").asBoolean()).isTrue();
    assertThat(rollout.at("/workers/0/worker").asText()).isEqualTo("w1");
    assertThat(rollout.at("/workers/0/state").asText()).isEqualTo("APPLIED");
    assertThat(rollout.at("/workers/0/afterMillis").asDouble()).isPositive();
    assertThat(
            running
                .http()
                .post(vector("c1", "v") + "?wait=1h", "{'layer': 1, 'values': [3, 4]}")
                .json()
                .at("/error/field")
                .asText())
        .isEqualTo("wait");
  }

  @Test
  void shouldNameTheWorkerThatStopsLivingWhileItWaits() {
    publish("c2", "v", 1, "[1, 2]");
    running.heartbeat("c2", "w2", List.of(), List.of());
    running.awaitWorker("c2", "v");
    CompletableFuture<Answer> waiting =
        running
            .http()
            .sendAsync("POST", vector("c2", "v") + "?wait=20s", "{'layer': 1, 'values': [3, 4]}");
    Await.until(
        "it is written",
        RunningService.LIMIT,
        () -> running.http().get(vector("c2", "v")).json().get("latest").asInt() == 2);
    // The same worker, started anew.
    running.heartbeat(
        WorkerHeartbeat.newBuilder()
            .setWorker("w2")
            .setIncarnation("w2-2")
            .setModel("c2")
            .setLayers(4)
            .setHiddenSize(2)
            .build());
    JsonNode worker = waiting.join().json().at("/rollout/workers/0");
    assertThat(worker.get("state").asText()).isEqualTo("GONE");
    assertThat(worker.get("worker").asText()).isEqualTo("w2");
  }

  @Test
  void shouldGoBackWhenRolledBack() {
    publish("c3", "v", 1, "[1, 2]");
    publish("c3", "v", 1, "[3, 4]");
    running.http().put(vector("c3", "v") + "/aliases/production", "{'version': 1}");
    running.http().put(vector("c3", "v") + "/aliases/production", "{'version': 2}");

    JsonNode moved =
        running.http().post(vector("c3", "v") + "/rollback", "{'alias': 'production'}").json();
    assertThat(moved.get("version").asInt()).isEqualTo(1);
    assertThat(moved.get("previous").asInt()).isEqualTo(2);

    Answer again = running.http().post(vector("c3", "v") + "/rollback", "{}");
    assertThat(again.status()).as(again.text()).isEqualTo(201);
    assertThat(again.json().get("version").asInt()).isEqualTo(3);
    assertThat(again.json().at("/sources/0").asText()).isEqualTo("v@1");
    assertThat(again.json().get("description").asText()).isEqualTo("of [1, 2]");
    assertThat(values("c3", "v", "3")).isEqualTo("[1.0,2.0]");

    Answer late = running.http().post(vector("c3", "v") + "/rollback", "{'expectedVersion': 2}");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().get("currentVersion").asInt()).isEqualTo(3);
  }

  @Test
  void shouldSayWhatIsCurrentWhenADeletionExpectedAnotherVersion() {
    publish("c4", "v", 1, "[1, 2]");
    running.http().put(vector("c4", "v") + "/aliases/production", "{'version': 1}");
    Answer alias =
        running.http().delete(vector("c4", "v") + "/aliases/production?expectedVersion=2");
    assertThat(alias.status()).isEqualTo(409);
    assertThat(alias.json().get("currentVersion").asInt()).isEqualTo(1);
    assertThat(running.http().delete(vector("c4", "v") + "?expectedVersion=3").status())
        .isEqualTo(409);
  }

  @Test
  void shouldCompareAndCombine() {
    publish("c5", "a", 1, "[3, 4]");
    publish("c5", "b", 1, "[1, 0]");

    JsonNode similarity = running.http().get("/v1/models/c5/similarity?vectors=a,b@1").json();
    assertThat(similarity.at("/items/1/name").asText()).isEqualTo("b");
    assertThat(similarity.at("/cosines/0/1").asDouble()).isCloseTo(0.6, within(1e-9));
    assertThat(similarity.at("/cosines/1/1").asDouble()).isEqualTo(1);

    Answer combined =
        running
            .http()
            .post(
                vector("c5", "ab") + "/combine",
                "{'terms': [{'name': 'a', 'weight': 2}, {'name': 'b', 'version': 1}],"
                    + " 'orthogonalTo': [{'name': 'b'}]}");
    assertThat(combined.status()).as(combined.text()).isEqualTo(201);
    assertThat(combined.json().get("method").asText()).isEqualTo("COMBINATION");
    assertThat(combined.json().get("sources").toString())
        .isEqualTo("[\"2.0 * a@1\",\"1.0 * b@1\",\"orthogonal to b@1\"]");
    assertThat(values("c5", "ab", "1")).isEqualTo("[0.0,8.0]");
    Answer nothing =
        running
            .http()
            .post(
                vector("c5", "zero") + "/combine",
                "{'terms': [{'name': 'a'}, {'name': 'a', 'weight': -1}]}");
    assertThat(nothing.json().at("/error/message").asText())
        .contains("RESIDUAL_POST of layer 1")
        .contains("norm 0");

    publish("c5", "a", 1, "[4, 3]");
    JsonNode diff = running.http().get(vector("c5", "a") + "/diff").json();
    assertThat(diff.get("from").asInt()).isEqualTo(1);
    assertThat(diff.at("/sites/0/cosine").asDouble()).isCloseTo(0.96, within(1e-9));
    assertThat(diff.at("/fields/description/to").asText()).isEqualTo("of [4, 3]");
  }

  @Test
  void shouldTravelAsSafetensorsAndAsGguf() {
    running
        .http()
        .post(
            vector("c6", "v"),
            "{'layer': 2, 'hookPoint': 'RESIDUAL_POST', 'values': [1.5, -2], 'description': 'of two',"
                + " 'items': '0-3,7', 'chosenBy': '8', 'balance': 'NONE'}");
    for (String format : List.of("safetensors", "gguf")) {
      byte[] file =
          running.http().bytes(vector("c6", "v") + "/versions/latest/file?format=" + format);
      Answer imported = running.http().postBytes(vector("c6", "from-" + format) + "/import", file);
      assertThat(imported.status()).as(imported.text()).isEqualTo(201);
      assertThat(imported.json().at("/sites/0/layer").asInt()).isEqualTo(2);
      assertThat(imported.json().at("/sites/0/hookPoint").asText()).isEqualTo("RESIDUAL_POST");
      assertThat(imported.json().get("description").asText()).isEqualTo("of two");
      assertThat(imported.json().get("items").asText()).isEqualTo("0-3,7");
      assertThat(imported.json().get("chosenBy").asText()).isEqualTo("8");
      assertThat(imported.json().get("balance").asText()).isEqualTo("NONE");
      assertThat(values("c6", "from-" + format, "1")).isEqualTo("[1.5,-2.0]");

      // Of the same width, and all the same of another model.
      Answer other = running.http().postBytes(vector("c7", "v") + "/import", file);
      assertThat(other.status()).isEqualTo(400);
      assertThat(other.json().at("/error/message").asText()).contains("'c6'", "'c7'", "anyModel");
      Answer meant = running.http().postBytes(vector("c7", "v") + "/import?anyModel=true", file);
      assertThat(meant.status()).isEqualTo(201);
    }
    running.http().publish("c6", "elsewhere");
    Answer refused = running.http().get(vector("c6", "elsewhere") + "/versions/1/file?format=gguf");
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.json().at("/error/message").asText()).contains("ATTENTION_INPUT of layer 0");
  }
}
