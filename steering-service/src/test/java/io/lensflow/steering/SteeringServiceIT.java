package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorVersion;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.steering.Topics.Seen;
import io.lensflow.steering.vector.Float32;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One instance over a real broker: what it answers, and what it writes. */
@ExtendWith(KafkaExtension.class)
class SteeringServiceIT {
  private static RunningService running;

  @BeforeAll
  static void start(KafkaEnvironment kafka) throws Exception {
    running = new RunningService(kafka, Map.of());
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  @Test
  void shouldWriteSitesManifestAliasAndAuditWhenPublishing() {
    Answer published =
        running
            .http()
            .post(
                vector("m1", "tone"),
                "{'sites': [{'layer': 2, 'hookPoint': 'RESIDUAL_POST', 'values': [3, 4]},"
                    + "{'layer': 1, 'values': [0, 1]}], 'method': 'MEAN_DIFFERENCE', 'pairCount': 40,"
                    + "'dataset': 'letters', 'description': 'kinder', 'positions': 'Prompt'}");

    assertThat(published.status()).as(published.text()).isEqualTo(201);
    assertThat(published.header("Location")).isEqualTo(vector("m1", "tone") + "/versions/1");
    JsonNode json = published.json();
    assertThat(json.get("version").asInt()).isEqualTo(1);
    assertThat(json.at("/sites/0/norm").asDouble()).isEqualTo(5);
    assertThat(json.get("hiddenSize").asInt()).isEqualTo(2);
    assertThat(json.at("/warnings/0").asText()).contains("no live worker");

    List<Seen<SteeringVector>> vectors = running.ofModel("m1");
    assertThat(vectors)
        .extracting(Seen::key, Seen::type)
        .containsExactly(
            tuple("m1/tone@1/RESIDUAL_POST/2", "SteeringVector.SITE"),
            tuple("m1/tone@1/ATTENTION_INPUT/1", "SteeringVector.SITE"),
            tuple("m1/tone@1", "SteeringVector.MANIFEST"));
    VectorSite site = vectors.get(0).value().getSite();
    assertThat(Float32.decode(site.getValues())).containsExactly(3, 4);
    assertThat(json.at("/sites/0/crc32c").asLong()).isEqualTo(site.getCrc32c());
    VectorManifest manifest = vectors.get(2).value().getManifest();
    assertThat(manifest.getPositions()).isEqualTo("prompt");
    assertThat(manifest.getAuthor()).isEqualTo("tester");
    assertThat(running.lastAlias("m1/tone/latest").getVersion()).isEqualTo(1);
    assertThat(running.audit("m1"))
        .extracting(AuditEvent::getAction, AuditEvent::getActor, AuditEvent::getSubject)
        .containsExactly(tuple("PUBLISH", "tester", "m1/tone@1"));
  }

  @Test
  void shouldAnswerWhatWasPublished() {
    running.http().publish("m2", "a");
    running.http().publish("m2", "b");
    running.http().post(vector("m2", "a"), "{'layer': 5, 'values': [0.5, -1]}");
    running.http().put(vector("m2", "a") + "/aliases/production", "{'version': 1}");

    JsonNode list = running.http().get("/v1/models/m2/vectors").json();
    assertThat(list.at("/vectors/0/name").asText()).isEqualTo("a");
    assertThat(list.at("/vectors/0/versions").toString()).isEqualTo("[1,2]");
    assertThat(list.at("/vectors/0/aliases").toString())
        .isEqualTo("{\"latest\":2,\"production\":1}");
    assertThat(list.at("/vectors/1/name").asText()).isEqualTo("b");

    JsonNode history = running.http().get(vector("m2", "a")).json();
    assertThat(history.get("latest").asInt()).isEqualTo(2);
    assertThat(history.at("/versions/0/version").asInt()).isEqualTo(2);

    JsonNode version = running.http().get(vector("m2", "a") + "/versions/2?values=true").json();
    assertThat(version.at("/sites/0/values").toString()).isEqualTo("[0.5,-1.0]");
    JsonNode aliased = running.http().get(vector("m2", "a") + "/versions/production").json();
    assertThat(aliased.get("version").asInt()).isEqualTo(1);
    assertThat(aliased.at("/sites/0").has("values")).isFalse();

    assertThat(running.http().get("/v1/models/nobody/vectors").json().get("vectors")).isEmpty();
    assertThat(running.http().get(vector("m2", "c")).status()).isEqualTo(404);
    assertThat(running.http().get(vector("m2", "a") + "/versions/3").status()).isEqualTo(404);
    assertThat(running.http().get("/openapi.json").json().at("/openapi").asText())
        .isEqualTo("3.1.0");
    assertThat(running.http().get("/healthz").status()).isEqualTo(200);
    assertThat(running.http().get("/readyz").status()).isEqualTo(200);
    assertThat(running.http().get("/metrics").text()).contains("lensflow_steering_writer 1.0");
  }

  @Test
  void shouldTombstoneAndFallBackWhenDeleting() {
    running.http().publish("m3", "v");
    running.http().publish("m3", "v");
    running.http().put(vector("m3", "v") + "/aliases/production", "{'version': 1}");

    Answer inUse = running.http().delete(vector("m3", "v") + "/versions/1");
    assertThat(inUse.status()).isEqualTo(409);
    assertThat(inUse.json().at("/error/code").asText()).isEqualTo("VERSION_IN_USE");
    assertThat(running.http().delete(vector("m3", "v")).status()).isEqualTo(409);

    assertThat(
            running.http().delete(vector("m3", "v") + "/versions/2").json().get("latest").asInt())
        .isEqualTo(1);
    assertThat(running.lastAlias("m3/v/latest").getVersion()).isEqualTo(1);
    assertThat(running.ofModel("m3").stream().filter(seen -> seen.value() == null).map(Seen::key))
        .containsExactly("m3/v@2", "m3/v@2/ATTENTION_INPUT/0");

    assertThat(running.http().delete(vector("m3", "v") + "/aliases/production").status())
        .isEqualTo(200);
    assertThat(running.lastAlias("m3/v/production")).isNull();
    assertThat(running.http().delete(vector("m3", "v")).json().get("deleted").toString())
        .isEqualTo("[1]");
    assertThat(running.http().get(vector("m3", "v")).status()).isEqualTo(404);
    assertThat(running.lastAlias("m3/v/latest"))
        .extracting(SteeringAlias::getVersion, SteeringAlias::getHighestVersion)
        .containsExactly(0, 2);

    assertThat(running.http().publish("m3", "v").json().get("version").asInt()).isEqualTo(3);
    assertThat(running.audit("m3"))
        .extracting(AuditEvent::getAction)
        .containsExactly(
            "PUBLISH", "PUBLISH", "SET_ALIAS", "RETIRE", "DELETE_ALIAS", "RETIRE", "PUBLISH");
  }

  @Test
  void shouldNumberWithoutGapsWhenManyPublishAtOnce() {
    List<CompletableFuture<Answer>> answers =
        IntStream.range(0, 20)
            .mapToObj(
                i ->
                    running
                        .http()
                        .sendAsync("POST", vector("m10", "v"), "{'layer': 0, 'values': [1]}"))
            .toList();
    assertThat(answers.stream().map(answer -> answer.join().json().get("version").asInt()))
        .containsExactlyInAnyOrderElementsOf(IntStream.rangeClosed(1, 20).boxed().toList());
  }

  @Test
  void shouldSayWhatIsCurrentWhenSomebodyElseWasFaster() {
    running.http().publish("m4", "v");
    Answer late =
        running.http().post(vector("m4", "v"), "{'layer': 0, 'values': [1], 'expectedVersion': 0}");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().get("currentVersion").asInt()).isEqualTo(1);
    assertThat(late.json().at("/error/field").asText()).isEqualTo("expectedVersion");
    assertThat(
            running
                .http()
                .post(vector("m4", "v"), "{'layer': 0, 'values': [1], 'expectedVersion': 1}")
                .status())
        .isEqualTo(201);
  }

  @Test
  void shouldNameTheFieldAndWriteNothingWhenAVectorDoesNotFitTheLiveWorkers() {
    running.http().publish("m5", "probe");
    running.heartbeat("m5", "w5", List.of(), List.of());
    running.awaitWorker("m5", "probe");
    assertThat(error(running.http().post(vector("m5", "v"), "{'layer': 0, 'values': [1]}")))
        .contains("values", "hidden size 2");
    assertThat(error(running.http().post(vector("m5", "v"), "{'layer': 4, 'values': [1, 2]}")))
        .contains("layer", "0 … 3");
    assertThat(error(running.http().post(vector("m5", "v"), "{'layer': 0, 'values': [1, 1e39]}")))
        .contains("values[1]", "finite");
    assertThat(error(running.http().post(vector("m5", "v"), "{'layer': 0, 'values': [0, 0]}")))
        .contains("norm 0");
    assertThat(error(running.http().post(vector("m5", "a@b"), "{'layer': 0, 'values': [1, 2]}")))
        .contains("name");
    assertThat(
            error(
                running
                    .http()
                    .post(vector("m5", "v"), "{'layer': 0, 'values': [1, 2], 'items': '0-'}")))
        .contains("'0-' must be numbers of items");
    String large = "{'layer': 0, 'values': [" + "1.000,".repeat(20_000) + "1]}";
    assertThat(running.http().post(vector("m5", "v"), large).status()).isEqualTo(413);
    assertThat(running.http().get(vector("m5", "v")).status()).isEqualTo(404);

    Answer fits = running.http().post(vector("m5", "v"), "{'layer': 3, 'values': [1, 2]}");
    assertThat(fits.status()).isEqualTo(201);
    assertThat(fits.json().get("warnings")).isEmpty();
  }

  @Test
  void shouldTakeTheTopicSafeNameWhenAModelsNameHoldsASlash() {
    String safe = TopicCatalogue.topicSafe("org/m11");
    running.heartbeat("org/m11", "w11", List.of(), List.of());
    Await.until(
        "the worker is seen",
        RunningService.LIMIT,
        () ->
            running
                .http()
                .get("/v1/models/" + safe + "/vectors")
                .json()
                .get("model")
                .asText()
                .equals("org/m11"));
    assertThat(running.http().publish(safe, "v").json().get("model").asText()).isEqualTo("org/m11");
    assertThat(
            running
                .http()
                .get("/v1/models/org%2Fm11/vectors")
                .json()
                .at("/vectors/0/name")
                .asText())
        .isEqualTo("v");
    assertThat(running.ofModel(safe))
        .extracting(seen -> seen.value().getModel())
        .containsOnly("org/m11");
  }

  @Test
  void shouldShowWhatWorkersAppliedAndRefused() {
    for (int i = 0; i < 3; i++) {
      running.http().publish("m6", "v");
    }
    running.heartbeat(
        "m6",
        "w6",
        List.of(new VectorVersion("v", 1), new VectorVersion("other", 3)),
        List.of(new RefusedVector("v", 2, "wrong length")));
    running.awaitWorker("m6", "v");
    JsonNode worker = running.http().get(vector("m6", "v") + "/status").json().at("/workers/0");
    assertThat(worker.toString())
        .isEqualTo(
            "{\"worker\":\"w6\",\"applied\":[1],\"refused\":{\"2\":\"wrong length\"},\"pending\":[3]}");
  }

  @Test
  void shouldFindEverythingAgainWhenRestartedOverTheSameTopics() throws Exception {
    running.http().publish("m7", "v");
    running.http().publish("m7", "v");
    running.http().publish("m7", "gone");
    running.http().delete(vector("m7", "gone"));
    String before = running.http().get(vector("m7", "v")).text();
    running.restart();
    assertThat(running.http().get(vector("m7", "v")).text()).isEqualTo(before);
    assertThat(running.http().publish("m7", "v").json().get("version").asInt()).isEqualTo(3);
    assertThat(running.http().publish("m7", "gone").json().get("version").asInt()).isEqualTo(2);
  }

  private static String error(Answer answer) {
    return answer.status() == 400 ? answer.json().at("/error/message").asText() : "";
  }
}
