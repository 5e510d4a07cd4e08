package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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

/** What became of policies, and the way back. */
@ExtendWith(KafkaExtension.class)
class PolicyHistoryIT {
  private static final String FIRST =
      "{'matchLabels': {'team': 'red, or blue'}, 'description': 'first',"
          + " 'steering': [{'name': 'v', 'version': 1, 'multiplier': -1.5, 'layers': '0',"
          + " 'hookPoint': 'ATTENTION_INPUT', 'positions': 'generated', 'preserveNorm': true,"
          + " 'operation': 'ABLATE'}]}";
  private static final String SECOND =
      "{'enabled': false, 'description': 'second', 'steering': [{'name': 'v', 'alias': 'latest'}]}";

  private static RunningService running;

  @BeforeAll
  static void start(KafkaEnvironment kafka) throws Exception {
    running = new RunningService(kafka, Map.of("lensflow.steering.max-waiting-callers", 1));
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  private static String policy(String model) {
    return "/v1/models/%s/policies/calm".formatted(model);
  }

  @Test
  void shouldTellAllVersionsAndGoBackToAnyOfThem() throws Exception {
    running.http().publish("h1", "v");
    String path = policy("h1");
    JsonNode first = running.http().put(path, FIRST).json();
    running.http().put(path, SECOND);
    running.restart();

    JsonNode diff = running.http().get(path + "/diff").json();
    assertThat(diff.at("/fields/description/from").asText()).isEqualTo("first");
    assertThat(diff.at("/fields/enabled/to").asBoolean()).isFalse();
    JsonNode back = running.http().post(path + "/rollback", "{'expectedVersion': 2}").json();
    assertThat(back.get("version").asInt()).isEqualTo(3);
    for (String field : List.of("enabled", "matchLabels", "steering", "description")) {
      assertThat(back.get(field)).isEqualTo(first.get(field));
    }
    assertThat(running.http().get(path + "/diff?from=1&to=3").json().get("fields")).isEmpty();

    running.http().delete(path);
    JsonNode again = running.http().post(path + "/rollback", "{'to': 2}").json();
    assertThat(again.get("version").asInt()).isEqualTo(4);
    assertThat(again.get("enabled").asBoolean()).isFalse();
    JsonNode versions = running.http().get(path + "/history").json().get("versions");
    assertThat(versions.findValuesAsText("version")).startsWith("4", "3", "3");
    assertThat(versions).hasSize(5);
    assertThat(versions.at("/0/rolledBackTo").asInt()).isEqualTo(2);
    assertThat(versions.at("/0/actor").asText()).isEqualTo("tester");
    assertThat(versions.at("/1/deleted").asBoolean()).isTrue();
    assertThat(versions.at("/4/steering")).isEqualTo(first.get("steering"));
  }

  @Test
  void shouldBringBackTheLastVersionWhenAPolicyWasDeleted() {
    running.http().publish("h2", "v");
    running.http().put(policy("h2"), FIRST);
    running.http().delete(policy("h2"));

    JsonNode back = running.http().post(policy("h2") + "/rollback", "{}").json();

    assertThat(back.get("version").asInt()).isEqualTo(2);
    assertThat(back.get("description").asText()).isEqualTo("first");
  }

  @Test
  void shouldSayWhyItCannotGoBack() {
    running.http().publish("h3", "v");
    running.http().publish("h3", "v");
    assertThat(running.http().get(policy("h3") + "/history").status()).isEqualTo(404);
    assertThat(running.http().post(policy("h3") + "/rollback", "{}").status()).isEqualTo(404);
    running.http().put(policy("h3"), FIRST);
    Answer none = running.http().post(policy("h3") + "/rollback", "{}");
    assertThat(none.status()).isEqualTo(409);
    assertThat(none.json().at("/error/code").asText()).isEqualTo("NOTHING_TO_ROLL_BACK_TO");
    Answer unknown = running.http().post(policy("h3") + "/rollback", "{'to': 7}");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.json().at("/error/message").asText()).contains("no version 7", "[1]");
    Answer late = running.http().post(policy("h3") + "/rollback", "{'expectedVersion': 9}");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().get("currentVersion").asInt()).isEqualTo(1);

    running.http().put(policy("h3"), SECOND);
    assertThat(running.http().delete(vector("h3", "v") + "/versions/1").status()).isEqualTo(200);
    Answer gone = running.http().post(policy("h3") + "/rollback", "{}");
    assertThat(gone.status()).isEqualTo(400);
    assertThat(gone.json().at("/error/message").asText()).contains("steering[0].version");
  }

  @Test
  void shouldRefuseToLetMoreCallersWaitThanItMay() {
    running.http().publish("h4", "v");
    running.heartbeat("h4", "w4", List.of(), List.of());
    running.awaitWorker("h4", "v");
    CompletableFuture<Answer> waiting =
        running.http().sendAsync("PUT", policy("h4") + "?wait=30s", FIRST);
    Await.until(
        "it is written",
        RunningService.LIMIT,
        () -> running.http().get(policy("h4")).status() == 200);

    Answer second = running.http().put(policy("h4") + "?wait=30s", SECOND);
    assertThat(second.status()).isEqualTo(503);
    assertThat(second.json().at("/error/code").asText()).isEqualTo("TOO_MANY_WAITING");
    assertThat(second.json().at("/error/message").asText())
        .contains("lensflow.steering.max-waiting-callers");
    assertThat(running.http().get(policy("h4")).json().get("version").asInt()).isEqualTo(1);
    assertThat(running.http().put(policy("h4"), SECOND).status()).isEqualTo(200);

    // The worker is started anew: nobody waits for the one before.
    running.heartbeat(
        WorkerHeartbeat.newBuilder().setWorker("w4").setIncarnation("w4-2").setModel("h4").build());
    assertThat(waiting.join().json().at("/rollout/workers/0/state").asText()).isEqualTo("GONE");
    assertThat(running.http().put(policy("h4") + "?wait=1s", SECOND).status()).isEqualTo(200);
  }
}
