package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.PolicyState;
import io.lensflow.records.SteeringCommand;
import io.lensflow.records.SteeringCommandType;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.steering.Topics.Seen;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Policies over HTTP and by command: checked, versioned, and what they mean is kept. */
@ExtendWith(KafkaExtension.class)
class PolicyIT {
  private static final String GIVES_V = "{'steering': [{'name': 'v', 'multiplier': 1.5}]}";

  private static RunningService running;

  @BeforeAll
  static void start(KafkaEnvironment kafka) throws Exception {
    running = new RunningService(kafka, Map.of());
  }

  @AfterAll
  static void stop() {
    running.close();
  }

  private static String policy(String model, String name) {
    return "/v1/models/%s/policies/%s".formatted(model, name);
  }

  private static String error(Answer answer) {
    return answer.status() == 400 ? answer.json().at("/error/message").asText() : "";
  }

  private static SteeringPolicy last(String key) {
    List<Seen<SteeringPolicy>> seen =
        running.topics.read(running.names.steeringPolicies(), SteeringPolicy.class).stream()
            .filter(one -> one.key().equals(key))
            .toList();
    return seen.get(seen.size() - 1).value();
  }

  @Test
  void shouldNumberPoliciesAndNeverGiveANumberTwice() throws Exception {
    running.http().publish("p1", "v");
    JsonNode first =
        running
            .http()
            .put(
                policy("p1", "calm"),
                "{'matchLabels': {'team': 'red'}, 'description': 'for red',"
                    + " 'steering': [{'name': 'v', 'alias': 'latest', 'layers': '0', 'multiplier': -2}]}")
            .json();
    assertThat(first.get("version").asInt()).isEqualTo(1);
    SteeringPolicy written = last("p1/calm");
    assertThat(written.getEnabled()).isTrue();
    assertThat(written.getMatchLabels()).containsEntry("team", "red");
    assertThat(written.getSteering().get(0).getMultiplier()).isEqualTo(-2);

    Answer late =
        running.http().put(policy("p1", "calm"), GIVES_V.replace("}]", "}], 'expectedVersion': 0"));
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().get("currentVersion").asInt()).isEqualTo(1);

    assertThat(running.http().delete(policy("p1", "calm")).status()).isEqualTo(200);
    assertThat(running.http().get(policy("p1", "calm")).status()).isEqualTo(404);
    assertThat(running.http().delete(policy("p1", "calm")).status()).isEqualTo(404);
    running.restart();
    assertThat(running.http().put(policy("p1", "calm"), GIVES_V).json().get("version").asInt())
        .isEqualTo(2);
    assertThat(
            running.http().get("/v1/models/p1/policies").json().at("/policies/0/policy").asText())
        .isEqualTo("calm");
    assertThat(running.audit("p1"))
        .extracting(AuditEvent::getAction, AuditEvent::getSubject, AuditEvent::getActor)
        .contains(
            tuple("SET_POLICY", "p1/calm", "tester"), tuple("DELETE_POLICY", "p1/calm", "tester"));
  }

  @Test
  void shouldKeepWhatAPolicyMeans() {
    running.http().publish("p2", "v");
    running.http().publish("p2", "v");
    running.http().put(vector("p2", "v") + "/aliases/production", "{'version': 1}");
    running
        .http()
        .put(
            policy("p2", "calm"),
            "{'enabled': false, 'steering': [{'name': 'v', 'version': 2}, {'name': 'v', 'alias': 'production'}]}");

    Answer version = running.http().delete(vector("p2", "v") + "/versions/2");
    assertThat(version.status()).isEqualTo(409);
    assertThat(version.json().at("/error/message").asText()).contains("policy 'calm'");
    assertThat(running.http().delete(vector("p2", "v") + "/aliases/production").status())
        .isEqualTo(409);
    assertThat(running.http().delete(vector("p2", "v")).status()).isEqualTo(409);
    running.http().delete(policy("p2", "calm"));
    assertThat(running.http().delete(vector("p2", "v") + "/versions/2").status()).isEqualTo(200);
  }

  @Test
  void shouldNameTheFieldWhenAPolicyIsWrong() {
    running.http().publish("p3", "v");
    String path = policy("p3", "calm");
    assertThat(error(running.http().put(path, "{'steering': [{'name': 'w'}]}")))
        .contains("steering[0].name", "no vector 'w'");
    assertThat(error(running.http().put(path, "{'steering': [{'name': 'v', 'version': 7}]}")))
        .contains("steering[0].version", "no version 7");
    assertThat(error(running.http().put(path, "{'steering': [{'name': 'v', 'alias': 'x'}]}")))
        .contains("steering[0].alias", "no alias 'x'");
    assertThat(
            error(
                running
                    .http()
                    .put(path, "{'steering': [{'name': 'v', 'hookPoint': 'MLP_OUTPUT'}]}")))
        .contains("steering[0].hookPoint", "ATTENTION_INPUT/0");
    assertThat(error(running.http().put(path, "{'steering': [{'name': 'v', 'positions': 'x'}]}")))
        .contains("steering[0].positions");
    assertThat(error(running.http().put(path, "{'steering': [{'name': 'v', 'nom': 1}]}")))
        .contains("steering[0].nom");
    assertThat(error(running.http().put(path, "{}"))).contains("steering");
    assertThat(error(running.http().put(policy("p3", "a@b"), GIVES_V))).contains("policy");
    assertThat(running.http().get("/v1/models/p3/policies").json().get("policies")).isEmpty();
  }

  @Test
  void shouldWaitUntilAPolicyIsInEffect() {
    running.http().publish("p4", "v");
    running.heartbeat("p4", "w4", List.of(), List.of());
    running.awaitWorker("p4", "v");
    CompletableFuture<Answer> waiting =
        running.http().sendAsync("PUT", policy("p4", "calm") + "?wait=20s", GIVES_V);
    Await.until(
        "it is written",
        RunningService.LIMIT,
        () -> running.http().get(policy("p4", "calm")).status() == 200);
    running.heartbeat(
        WorkerHeartbeat.newBuilder()
            .setWorker("w4")
            .setIncarnation("w4-1")
            .setModel("p4")
            .setPolicies(List.of(new PolicyState("calm", 1, 1, "")))
            .build());
    assertThat(waiting.join().json().at("/rollout/workers/0/state").asText()).isEqualTo("APPLIED");
    assertThat(
            running
                .http()
                .get(policy("p4", "calm") + "/status")
                .json()
                .at("/workers/0/inEffect")
                .asInt())
        .isEqualTo(1);
  }

  @Test
  void shouldCarryOutCommands() {
    running.http().publish("p5", "v");
    SteeringPolicy gives =
        SteeringPolicy.newBuilder()
            .setEnabled(true)
            .setSteering(List.of(SteeringRequest.newBuilder().setName("v").build()))
            .build();
    running.topics.write(
        running.names.steeringCommands(), null, command(SteeringCommandType.SET_POLICY, gives));
    Await.until(
        "the policy is set",
        RunningService.LIMIT,
        () -> running.http().get(policy("p5", "calm")).status() == 200);
    running.topics.write(
        running.names.steeringCommands(), null, command(SteeringCommandType.DELETE_POLICY, null));
    Await.until(
        "the policy is gone",
        RunningService.LIMIT,
        () -> running.http().get(policy("p5", "calm")).status() == 404);
    assertThat(last("p5/calm").getDeleted()).isTrue();
  }

  private static SteeringCommand command(SteeringCommandType type, SteeringPolicy policy) {
    return SteeringCommand.newBuilder()
        .setCommandId(Ids.newId())
        .setCreatedAt(Instant.now())
        .setType(type)
        .setModel("p5")
        .setName("calm")
        .setActor("robot")
        .setPolicy(policy)
        .build();
  }
}
