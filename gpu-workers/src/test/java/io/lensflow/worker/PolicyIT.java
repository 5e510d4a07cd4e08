package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PolicyState;
import io.lensflow.records.PolicyUse;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.SteeringSource;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Policies that come, change and go while a worker runs. A vector's first value shifts every next
 * token: unsteered "abc" goes on with "def", shifted by one with "egi", by two with "fil". Each
 * test's requests have a label of their own, so that no policy of another matches them.
 */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PolicyIT {
  private static final String MODEL = "scripted";
  private static final String WORKER = "governed";

  private Traffic traffic;
  private PublishedVectors vectors;
  private WorkerService worker;

  @BeforeAll
  void start(KafkaEnvironment kafka) {
    kafka.createTopics();
    traffic = new Traffic(kafka);
    vectors = new PublishedVectors(traffic, MODEL);
    // Both stand in the topics before the worker starts; the vector of the second never comes.
    vectors.publish("early", 1, 1);
    vectors.policy("early", 1, Map.of("case", "early"), List.of(vector("early", 1)));
    vectors.policy("lost", 7, Map.of("case", "lost"), List.of(vector("nowhere", 1)));
    worker =
        Workers.scripted(
            WORKER,
            new ScriptedEngine.Script(),
            traffic.kafka(),
            Map.of("steering.max-wait", "1s"));
    traffic.awaitEnd(traffic.send(Traffic.request("warm", 1)));
  }

  @AfterAll
  void stop() {
    worker.close();
    traffic.close();
  }

  private static SteeringRequest vector(String name, float multiplier) {
    return SteeringRequest.newBuilder().setName(name).setMultiplier(multiplier).build();
  }

  private static PromptRequest request(String label, Consumer<PromptRequest> change) {
    return Traffic.request(
        "abc",
        3,
        r -> {
          r.setLabels(Map.of("case", label, "other", "x"));
          change.accept(r);
        });
  }

  private CompletionEvent run(PromptRequest request) {
    return traffic.awaitEnd(traffic.send(request));
  }

  private String textOf(String label) {
    return run(request(label, r -> {})).getFinished().getText();
  }

  private List<AppliedSteering> steeringOf(CompletionEvent end) {
    return traffic
        .eventsOf(end.getRequestId(), CompletionType.ACCEPTED)
        .get(0)
        .getAccepted()
        .getSteering();
  }

  private PolicyState awaitPolicy(String name, int version, int newest) {
    Await.until(
        "policy %s@%d of %d".formatted(name, version, newest),
        Traffic.PATIENCE,
        () -> {
          PolicyState state = state(name);
          return state.getVersion() == version && state.getNewest() == newest;
        });
    return state(name);
  }

  private PolicyState state(String name) {
    return traffic.heartbeat(WORKER).map(WorkerHeartbeat::getPolicies).orElse(List.of()).stream()
        .filter(state -> state.getPolicy().equals(name))
        .findFirst()
        .orElse(new PolicyState(name, 0, 0, ""));
  }

  @Test
  void shouldSteerTheFirstRequestAndNameThePolicyWhenItWasThereBeforeTheWorker() {
    CompletionEvent end = run(request("early", r -> {}));

    assertThat(end.getFinished().getText()).isEqualTo("egi");
    AppliedSteering applied = steeringOf(end).get(0);
    assertThat(applied.getSource()).isEqualTo(SteeringSource.POLICY);
    assertThat(applied.getPolicy()).isEqualTo("early@1");
    assertThat(applied.getName()).isEqualTo("early");
    assertThat(applied.getVersion()).isEqualTo(1);
    Await.until(Traffic.PATIENCE, () -> !traffic.chunksOf(end.getRequestId()).isEmpty());
    assertThat(traffic.chunksOf(end.getRequestId()).get(0).value().getSteering())
        .containsExactly(applied);
    assertThat(textOf("nobody's")).isEqualTo("def");
  }

  @Test
  void shouldKeepTheOldPolicyUntilAllVectorsOfTheNewOneAreLoaded() {
    vectors.publish("first", 1, 1);
    vectors.policy("grows", 1, Map.of("case", "grows"), List.of(vector("first", 1)));
    awaitPolicy("grows", 1, 1);
    assertThat(textOf("grows")).isEqualTo("egi");

    vectors.policy(
        "grows", 2, Map.of("case", "grows"), List.of(vector("first", 1), vector("second", 1)));
    PolicyState waiting = awaitPolicy("grows", 1, 2);
    assertThat(waiting.getReason()).contains("policy grows@2").contains("second");
    assertThat(steeringOf(run(request("grows", r -> {}))))
        .extracting(AppliedSteering::getPolicy)
        .containsExactly("grows@1");

    vectors.publish("second", 1, 1);
    assertThat(awaitPolicy("grows", 2, 2).getReason()).isEmpty();
    CompletionEvent end = run(request("grows", r -> {}));
    assertThat(end.getFinished().getText()).isEqualTo("fil");
    assertThat(steeringOf(end))
        .extracting(AppliedSteering::getPolicy)
        .containsExactly("grows@2", "grows@2");
  }

  @Test
  void shouldLetARequestSayOtherwise() {
    vectors.publish("mine", 1, 1);
    vectors.publish("yours", 1, 1);
    vectors.policy("words", 1, Map.of("case", "words"), List.of(vector("mine", 1)));
    awaitPolicy("words", 1, 1);

    assertThat(run(request("words", r -> r.setPolicies(PolicyUse.IGNORE))).getFinished().getText())
        .isEqualTo("def");
    // It names the policy's vector: its own words hold for it.
    CompletionEvent own = run(request("words", r -> r.setSteering(List.of(vector("mine", 0)))));
    assertThat(own.getFinished().getText()).isEqualTo("def");
    assertThat(steeringOf(own))
        .extracting(AppliedSteering::getSource)
        .containsExactly(SteeringSource.REQUEST);
    // It names another: both hold, the policy's first.
    CompletionEvent both = run(request("words", r -> r.setSteering(List.of(vector("yours", 1)))));
    assertThat(both.getFinished().getText()).isEqualTo("fil");
    assertThat(steeringOf(both))
        .extracting(AppliedSteering::getName)
        .containsExactly("mine", "yours");
    CompletionEvent unknown = run(request("words", r -> r.setPolicies(PolicyUse.UNKNOWN)));
    assertThat(unknown.getFailure().getField()).isEqualTo("policies");
  }

  @Test
  void shouldObeyThePolicyThatMatchesClosest() {
    vectors.publish("wide", 1, 1);
    vectors.policy("b-wide", 1, Map.of("case", "closest"), List.of(vector("wide", 1)));
    vectors.policy(
        "narrow", 1, Map.of("case", "closest", "other", "x"), List.of(vector("wide", 2)));
    vectors.policy(
        "elsewhere", 1, Map.of("case", "closest", "absent", "x"), List.of(vector("wide", 3)));
    awaitPolicy("b-wide", 1, 1);
    awaitPolicy("narrow", 1, 1);
    awaitPolicy("elsewhere", 1, 1);
    assertThat(textOf("closest")).isEqualTo("fil");

    // It gives nothing, and so exempts what it matches.
    vectors.policy("narrow", 2, Map.of("case", "closest", "other", "x"), List.of());
    awaitPolicy("narrow", 2, 2);
    assertThat(textOf("closest")).isEqualTo("def");

    vectors.policy("narrow", 3, Map.of(), List.of(), p -> p.setEnabled(false));
    awaitPolicy("narrow", 3, 3);
    assertThat(textOf("closest")).isEqualTo("egi");

    vectors.policy("b-wide", 1, Map.of(), List.of(), p -> p.setDeleted(true));
    awaitPolicy("b-wide", 0, 0);
    assertThat(textOf("closest")).isEqualTo("def");
  }

  @Test
  void shouldFailClosedWhenAPolicyThatStoodThereAtTheStartCannotBeObeyed() {
    assertThat(state("lost").getReason()).contains("nowhere");
    CompletionEvent end = run(request("lost", r -> {}));

    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("STEERING_UNAVAILABLE");
    assertThat(end.getFailure().getField()).isEqualTo("policies");
    assertThat(end.getFailure().getMessage()).contains("policy lost@7").contains("nowhere");
    assertThat(traffic.eventsOf(end.getRequestId(), CompletionType.ACCEPTED)).isEmpty();
    assertThat(run(request("lost", r -> r.setPolicies(PolicyUse.IGNORE))).getType())
        .isEqualTo(CompletionType.FINISHED);
  }
}
