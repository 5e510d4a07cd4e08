package io.lensflow.worker.ranks;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import com.typesafe.config.ConfigFactory;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.ScriptedEngine;
import io.lensflow.worker.steering.SiteVector;
import io.lensflow.worker.steering.SteeringUse;
import io.lensflow.worker.steering.VectorId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorParallelGroupTest {
  private static final ActorTestKit AKKA = ActorTestKit.create(ConfigFactory.load());
  private static final VectorId VECTOR = new VectorId("v", 1);
  private static final RestartPolicy RESTARTS =
      new RestartPolicy(Duration.ofMillis(20), Duration.ofMillis(40), 3);

  private final ScriptedEngine.Script script = new ScriptedEngine.Script();
  private final TestProbe<TensorParallelGroup.Status> status = AKKA.createTestProbe();
  private final TestProbe<TensorParallelGroup.StepReply> steps = AKKA.createTestProbe();
  private final TestProbe<TensorParallelGroup.VectorPrepared> prepared = AKKA.createTestProbe();
  private ActorRef<TensorParallelGroup.Command> group;
  private long nextStep;

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    group = spawn(() -> new ScriptedEngine(script));
  }

  private ActorRef<TensorParallelGroup.Command> spawn(EngineSource source) {
    return AKKA.spawn(TensorParallelGroup.create(source, RESTARTS, status.ref()));
  }

  private static StepPlan.Open open(long sequence, int maxLength, SteeringUse... steering) {
    return new StepPlan.Open(sequence, 2, maxLength, CapturePlan.NONE, List.of(steering), null);
  }

  private static StepPlan.Feed feed(long sequence, int... ids) {
    return new StepPlan.Feed(sequence, ids, Logits.LAST);
  }

  private void step(List<Long> close, List<StepPlan.Open> open, StepPlan.Feed... feeds) {
    StepPlan plan = new StepPlan(nextStep++, close, open, List.of(feeds));
    group.tell(new TensorParallelGroup.RunStep(plan, steps.ref()));
  }

  private StepResult done() {
    return steps.expectMessageClass(TensorParallelGroup.StepDone.class).result();
  }

  private static int topOf(float[] logits) {
    int top = 0;
    for (int i = 0; i < logits.length; i++) {
      top = logits[i] > logits[top] ? i : top;
    }
    return top;
  }

  @Test
  void shouldStepTogetherAndCloseWhenSequencesJoinAndLeave() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    step(List.of(), List.of(open(1, 9), open(2, 9)), feed(1, 5, 6), feed(2, 7, 8));
    StepResult first = done();
    assertThat(first.outputs()).extracting(StepResult.Output::sequence).containsExactly(1L, 2L);
    assertThat(first.outputs()).extracting(o -> topOf(o.logits())).containsExactly(7, 9);
    assertThat(script.openSequences).isEqualTo(2);

    step(List.of(1L), List.of(), feed(2, 9));

    assertThat(done().outputs()).hasSize(1);
    assertThat(script.openSequences).isEqualTo(1);
  }

  @Test
  void shouldReadAPrefixItselfWhenItsSourceIsGone() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    step(List.of(), List.of(open(1, 9)), feed(1, 5, 6));
    done();
    StepPlan.Prefix prefix = new StepPlan.Prefix(1, new int[] {5});
    StepPlan.Open two = new StepPlan.Open(2, 2, 9, CapturePlan.NONE, List.of(), prefix);
    StepPlan.Open three = new StepPlan.Open(3, 2, 9, CapturePlan.NONE, List.of(), prefix);

    step(List.of(), List.of(two), feed(2, 8));
    assertThat(done().outputs()).extracting(o -> topOf(o.logits())).containsExactly(9);
    step(List.of(1L), List.of(three), feed(3, 8));
    assertThat(done().outputs()).extracting(o -> topOf(o.logits())).containsExactly(9);

    assertThat(script.steps()).containsExactly(List.of(2), List.of(1), List.of(2));
  }

  @Test
  void shouldRefuseOneAndStepTheOthersWhenThereIsNoRoom() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    script.capacity = 10;
    step(List.of(), List.of(open(1, 8), open(2, 8)), feed(1, 5), feed(2, 6));

    StepResult result = done();

    assertThat(result.outputs()).extracting(StepResult.Output::sequence).containsExactly(1L);
    assertThat(result.refusals())
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.sequence()).isEqualTo(2);
              assertThat(refusal.transientShortage()).isTrue();
            });
  }

  @Test
  void shouldLetNobodyInBehindOneThatFindsNoRoom() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    script.capacity = 20;
    step(
        List.of(),
        List.of(open(1, 8), open(2, 15), open(3, 4)),
        feed(1, 5),
        feed(2, 6),
        feed(3, 7));

    StepResult result = done();

    assertThat(result.outputs()).extracting(StepResult.Output::sequence).containsExactly(1L);
    assertThat(result.refusals())
        .allMatch(StepResult.Refusal::transientShortage)
        .extracting(StepResult.Refusal::sequence)
        .containsExactly(2L, 3L);
    assertThat(result.freeKvTokens()).isEqualTo(12);
  }

  @Test
  void shouldComeBackWithItsVectorsWhenAStepFails() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    float[] values = new float[ScriptedEngine.HIDDEN];
    values[0] = 4;
    SiteVector site = new SiteVector(HookPoint.ATTENTION_INPUT, 0, values);
    group.tell(new TensorParallelGroup.Prepare(VECTOR, List.of(site), prepared.ref()));
    assertThat(prepared.receiveMessage().problem()).isNull();
    script.nextFailure = new IllegalStateException("broken");
    step(List.of(), List.of(open(1, 9)), feed(1, 5));

    assertThat(steps.expectMessageClass(TensorParallelGroup.StepFailed.class).reason())
        .isEqualTo("broken");
    status.expectMessageClass(TensorParallelGroup.Down.class);
    status.expectMessageClass(TensorParallelGroup.Up.class);

    assertThat(script.loads).isEqualTo(2);
    assertThat(script.preparedVectors).isEqualTo(1);
    SteeringUse use =
        new SteeringUse(
            VECTOR,
            0,
            HookPoint.ATTENTION_INPUT,
            SteeringOperation.ADD,
            1,
            PositionSpec.ALL,
            false);
    step(List.of(), List.of(open(2, 9, use)), feed(2, 5));
    assertThat(topOf(done().outputs().get(0).logits())).isEqualTo(10);
    prepared.expectNoMessage(Duration.ofMillis(50));
  }

  @Test
  void shouldRefuseASequenceWhenItsVectorIsNotThere() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    SteeringUse use =
        new SteeringUse(
            VECTOR, 0, HookPoint.MLP_INPUT, SteeringOperation.ADD, 1, PositionSpec.ALL, false);

    step(List.of(), List.of(open(1, 9, use)), feed(1, 5));

    StepResult result = done();
    assertThat(result.outputs()).isEmpty();
    assertThat(result.refusals().get(0).transientShortage()).isFalse();
    assertThat(result.refusals().get(0).reason()).contains("v@1").contains("MLP_INPUT");
  }

  @Test
  void shouldGiveUpAtOnceWhenTheDeviceIsLost() {
    status.expectMessageClass(TensorParallelGroup.Up.class);
    script.nextFailure = new IllegalStateException("CUDA error: device-side assert triggered");

    step(List.of(), List.of(open(1, 9)), feed(1, 5));

    assertThat(status.expectMessageClass(TensorParallelGroup.Lost.class).cause())
        .hasMessageContaining("device-side assert");
    assertThat(script.loads).isEqualTo(1);
  }

  @Test
  void shouldSayThatItNeverLoadedWhenTheCheckpointIsBroken() {
    TestProbe<TensorParallelGroup.Status> heard = AKKA.createTestProbe();
    AKKA.spawn(
        TensorParallelGroup.create(
            () -> {
              throw new IOException("no config.json in /nowhere");
            },
            RESTARTS,
            heard.ref()));

    assertThat(heard.expectMessageClass(TensorParallelGroup.NeverLoaded.class).cause())
        .hasMessage("no config.json in /nowhere");
  }

  @Test
  void shouldGiveUpWhenReloadsFailAgainAndAgain() {
    TestProbe<TensorParallelGroup.Status> heard = AKKA.createTestProbe();
    int[] loads = {0};
    group =
        AKKA.spawn(
            TensorParallelGroup.create(
                () -> {
                  if (++loads[0] > 1) {
                    throw new IOException("the disk is gone");
                  }
                  return new ScriptedEngine(script);
                },
                RESTARTS,
                heard.ref()));
    heard.expectMessageClass(TensorParallelGroup.Up.class);
    script.nextFailure = new IllegalStateException("broken");
    step(List.of(), List.of(open(1, 9)), feed(1, 5));

    TensorParallelGroup.Status last = heard.receiveMessage();
    while (last instanceof TensorParallelGroup.Down) {
      last = heard.receiveMessage(Duration.ofSeconds(10));
    }
    assertThat(last).isInstanceOf(TensorParallelGroup.Lost.class);
    assertThat(loads[0]).isEqualTo(1 + RESTARTS.maxRestarts());
  }
}
