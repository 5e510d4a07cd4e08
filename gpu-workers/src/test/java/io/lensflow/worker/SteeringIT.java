package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.SteeringSource;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.steering.SteeringFingerprint;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Vectors that come, change and go while a worker runs. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SteeringIT {
  private static final String MODEL = "scripted";

  /** How long a request waits for a vector: far longer than one that goes on takes. */
  private static final Duration WAIT = Duration.ofSeconds(4);

  private final ScriptedEngine.Script script = new ScriptedEngine.Script();
  private KafkaEnvironment environment;
  private Traffic traffic;
  private PublishedVectors vectors;
  private WorkerService worker;

  @BeforeAll
  void start(KafkaEnvironment kafka) {
    environment = kafka;
    environment.createTopics();
    traffic = new Traffic(environment);
    vectors = new PublishedVectors(traffic, MODEL);
    // Published before the worker starts: it is there for the first request.
    vectors.publish("early", 1, 1);
    worker =
        Workers.scripted(
            "steered",
            script,
            traffic.kafka(),
            Map.of("steering.max-wait", WAIT, "steering.incomplete-after", "300ms"));
    // A share group hands out its first record after seconds; the tests measure waits.
    traffic.awaitEnd(traffic.send(Traffic.request("warm", 1)));
  }

  @AfterAll
  void stop() {
    worker.close();
    traffic.close();
  }

  @AfterEach
  void fullSpeed() {
    script.stepNanos = 0;
  }

  private static PromptRequest steered(String name, Integer version, float multiplier) {
    return Traffic.request(
        "abc",
        3,
        r ->
            r.setSteering(
                List.of(
                    SteeringRequest.newBuilder()
                        .setName(name)
                        .setVersion(version)
                        .setMultiplier(multiplier)
                        .build())));
  }

  private CompletionEvent run(PromptRequest request) {
    return traffic.awaitEnd(traffic.send(request));
  }

  private void awaitVector(String name, int version) {
    Await.until(
        name + "@" + version,
        Traffic.PATIENCE,
        () ->
            traffic
                .heartbeat("steered")
                .map(WorkerHeartbeat::getVectors)
                .orElse(List.of())
                .contains(new VectorVersion(name, version)));
  }

  private RefusedVector awaitRefusal(String name) {
    Await.until("refusal of " + name, Traffic.PATIENCE, () -> !refusals(name).isEmpty());
    return refusals(name).get(0);
  }

  private List<RefusedVector> refusals(String name) {
    return traffic.heartbeat("steered").map(WorkerHeartbeat::getRefused).orElse(List.of()).stream()
        .filter(refused -> refused.getName().equals(name))
        .toList();
  }

  @Test
  void shouldSteerTheFirstRequestWhenTheVectorWasThereBeforeTheWorker() {
    CompletionEvent end = run(steered("early", null, 1));

    assertThat(end.getFinished().getText()).isEqualTo("egi");
    CompletionEvent accepted = traffic.eventsOf(end.getRequestId(), CompletionType.ACCEPTED).get(0);
    AppliedSteering applied = accepted.getAccepted().getSteering().get(0);
    assertThat(applied.getName()).isEqualTo("early");
    assertThat(applied.getVersion()).isEqualTo(1);
    assertThat(applied.getLayer()).isEqualTo(1);
    assertThat(applied.getHookPoint()).isEqualTo(HookPoint.ATTENTION_INPUT);
    assertThat(applied.getSource()).isEqualTo(SteeringSource.REQUEST);
    assertThat(accepted.getAccepted().getSteeringFingerprint())
        .isEqualTo(SteeringFingerprint.of(List.of(applied)))
        .isNotEmpty();
    Await.until(Traffic.PATIENCE, () -> !traffic.chunksOf(end.getRequestId()).isEmpty());
    assertThat(traffic.chunksOf(end.getRequestId()).get(0).value().getSteering())
        .containsExactly(applied);
  }

  @Test
  void shouldTakeTheNewVersionWhenOneIsPublishedWhileItRuns() {
    vectors.publish("hot", 1, 1);
    awaitVector("hot", 1);
    assertThat(run(steered("hot", null, 1)).getFinished().getText()).isEqualTo("egi");

    vectors.publish("hot", 2, 2);
    awaitVector("hot", 2);

    assertThat(run(steered("hot", null, 1)).getFinished().getText()).isEqualTo("fil");
    assertThat(run(steered("hot", 1, 1)).getFinished().getText()).isEqualTo("egi");
    assertThat(run(steered("hot", null, 2)).getFinished().getText()).isEqualTo("hmr");
    assertThat(traffic.heartbeat("steered").orElseThrow().getAppliedOffsets())
        .containsKey(traffic.topics.steeringVectors() + "-0");
  }

  @Test
  void shouldKeepThePinnedVersionWhenItIsRetiredMeanwhile() {
    vectors.publish("pinned", 1, 1);
    awaitVector("pinned", 1);
    script.stepNanos = 20_000_000;
    PromptRequest request = steered("pinned", 1, 1);
    request.setMaxNewTokens(50);
    String id = traffic.send(request);
    traffic.await(id, e -> e.getType() == CompletionType.TOKENS);
    int prepared = script.preparedVectors;

    traffic.delete(traffic.topics.steeringVectors(), MODEL + "/pinned@1");
    Await.until(
        Traffic.PATIENCE,
        () ->
            !traffic
                .heartbeat("steered")
                .orElseThrow()
                .getVectors()
                .contains(new VectorVersion("pinned", 1)));

    assertThat(script.preparedVectors).isEqualTo(prepared);
    CompletionEvent end = traffic.awaitEnd(id);
    assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(end.getFinished().getText()).startsWith("egikmo");
    Await.until(Traffic.PATIENCE, () -> script.preparedVectors == prepared - 1);
    assertThat(run(steered("pinned", 1, 1)).getType()).isEqualTo(CompletionType.FAILED);
  }

  @Test
  void shouldWaitForTheVectorWhenItComesInTime() {
    String id = traffic.send(steered("soon", 1, 1));
    String other = traffic.send(Traffic.request("xy", 2));
    assertThat(traffic.awaitEnd(other).getType()).isEqualTo(CompletionType.FINISHED);

    vectors.publish("soon", 1, 1);

    assertThat(traffic.awaitEnd(id).getFinished().getText()).isEqualTo("egi");
  }

  @Test
  void shouldFailClosedWhenTheVectorNeverComes() {
    Instant start = Instant.now();
    String id = traffic.send(steered("never", 1, 1));
    // Of four slots one may wait: the second fails at once.
    traffic.await(traffic.send(Traffic.request("ab", 1)), e -> Traffic.isTerminal(e.getType()));
    CompletionEvent second = run(steered("never", 1, 1));
    Duration secondTook = Duration.between(start, Instant.now());
    CompletionEvent first = traffic.awaitEnd(id);

    for (CompletionEvent end : List.of(first, second)) {
      assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
      assertThat(end.getFailure().getCode()).isEqualTo("STEERING_UNAVAILABLE");
      assertThat(end.getFailure().getField()).isEqualTo("steering[0].name");
      assertThat(traffic.eventsOf(end.getRequestId(), CompletionType.ACCEPTED)).isEmpty();
    }
    assertThat(Duration.between(start, Instant.now())).isGreaterThanOrEqualTo(WAIT);
    assertThat(secondTook).isLessThan(WAIT);
  }

  @Test
  void shouldRefuseAndSayWhyWhenAVectorDoesNotFit() {
    vectors.publish(MODEL, "short", 1, new float[4], m -> {}, s -> {});
    vectors.publish(
        MODEL, "width", 1, PublishedVectors.values(1), m -> m.setHiddenSize(16), s -> {});
    vectors.publish(
        MODEL, "revision", 1, PublishedVectors.values(1), m -> m.setRevision("other"), s -> {});
    vectors.publish(MODEL, "checksum", 1, PublishedVectors.values(1), m -> {}, s -> s.setCrc32c(7));
    vectors.publish(MODEL, "nan", 1, PublishedVectors.values(Float.NaN), m -> {}, s -> {});
    vectors.publish(
        MODEL,
        "absent",
        1,
        PublishedVectors.values(1),
        m -> {
          List<VectorSiteRef> sites = new ArrayList<>(m.getSites());
          sites.add(new VectorSiteRef(HookPoint.RESIDUAL_POST, 2, 1L, 1.0));
          m.setSites(sites);
        },
        s -> {});
    vectors.publish(
        MODEL,
        "layer",
        1,
        PublishedVectors.values(1),
        m -> m.getSites().get(0).setLayer(9),
        s -> s.setLayer(9));

    assertThat(awaitRefusal("short").getReason()).contains("16 bytes").contains("32");
    assertThat(awaitRefusal("width").getReason()).contains("D=16");
    assertThat(awaitRefusal("revision").getReason()).contains("other");
    assertThat(awaitRefusal("checksum").getReason()).contains("checksum");
    assertThat(awaitRefusal("nan").getReason()).contains("NaN");
    assertThat(awaitRefusal("absent").getReason()).contains("RESIDUAL_POST of layer 2 is absent");
    assertThat(awaitRefusal("layer").getReason()).contains("no layer 9");
    CompletionEvent end = run(steered("nan", 1, 1));
    assertThat(end.getFailure().getMessage()).contains("refused").contains("NaN");
  }

  @Test
  void shouldKeepTheOldVersionWhenTheNewOneIsRefused() {
    vectors.publish("stays", 1, 1);
    awaitVector("stays", 1);

    vectors.publish(
        MODEL, "stays", 2, PublishedVectors.values(Float.POSITIVE_INFINITY), m -> {}, s -> {});
    vectors.alias(MODEL, "stays", "latest", 2);
    awaitRefusal("stays");

    CompletionEvent end = run(steered("stays", null, 1));
    assertThat(end.getFinished().getText()).isEqualTo("egi");
    assertThat(
            traffic
                .eventsOf(end.getRequestId(), CompletionType.ACCEPTED)
                .get(0)
                .getAccepted()
                .getSteering()
                .get(0)
                .getVersion())
        .isEqualTo(1);
  }

  @Test
  void shouldIgnoreVectorsWhenTheyAreAnotherModels() {
    vectors.publish("another", "foreign", 1, new float[3], m -> {}, s -> {});
    vectors.publish("after-foreign", 1, 1);
    awaitVector("after-foreign", 1);

    assertThat(refusals("foreign")).isEmpty();
    assertThat(traffic.heartbeat("steered").orElseThrow().getVectors())
        .noneMatch(vector -> vector.getName().equals("foreign"));
  }

  @Test
  void shouldSteerAgainWhenTheEngineWasReloaded() {
    vectors.publish("reloaded", 1, 1);
    awaitVector("reloaded", 1);
    script.stepNanos = 10_000_000;
    PromptRequest request = steered("reloaded", 1, 1);
    request.setMaxNewTokens(20);
    String id = traffic.send(request);
    traffic.await(id, e -> e.getType() == CompletionType.TOKENS);

    script.nextFailure = new IllegalStateException("a kernel failed");

    CompletionEvent end = traffic.awaitEnd(id);
    assertThat(end.getAttempt()).isEqualTo(2);
    assertThat(end.getFinished().getText()).startsWith("egikmo");
  }
}
