package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.TestProbe;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.scheduling.StepScheduler;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What the intake takes, acknowledges and gives back. */
class RequestIntakeTest extends IntakeStage {
  @Test
  void shouldAcknowledgeOnlyWhenTheEndIsDurable() {
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();
    assertThat(run.attempt().number()).isEqualTo(1);
    assertThat(source.completed).isEmpty();

    durable(run);

    awaitCompleted(ticket);
    assertThat(source.abandoned).isEmpty();
  }

  @Test
  void shouldOnlyAcknowledgeWhenTheRequestHasEndedBefore() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(true, past(1)));

    long ticket = deliver(request, 2);

    awaitCompleted(ticket);
    scheduler.expectNoMessage(Duration.ofMillis(50));
    assertThat(producer.history()).isEmpty();
  }

  @Test
  void shouldTakeNoSlotOfTheOthersWhenARequestMayWait() {
    PromptRequest request = Traffic.request("ab", 3);
    sent.put(request.getRequestId(), request);
    deliver(request.getRequestId(), 1, Lane.BATCH);

    assertThat(submitted().lane()).isEqualTo(Lane.BATCH);
    listener.expectMessage(new RequestIntake.Occupancy(Lane.BATCH, 3));
    deliver(Traffic.request("cd", 3), 1);
    assertThat(submitted().lane()).isEqualTo(Lane.INTERACTIVE);
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 7));
  }

  @Test
  void shouldRefuseWhatCouldNeverJoinInTheBatchLane() {
    PromptRequest request = Traffic.request("a".repeat(60), 10);
    sent.put(request.getRequestId(), request);
    long ticket = deliver(request.getRequestId(), 1, Lane.BATCH);

    awaitCompleted(ticket);
    Failure failure = event(request.getRequestId(), CompletionType.FAILED).getFailure();
    assertThat(failure.getCode()).isEqualTo("TOO_LONG");
    assertThat(failure.getMessage()).contains("80 tokens", "64", "lensflow.worker.batch.kv-share");
    deliver(request, 1);
  }

  @Test
  void shouldStayOneRequestWhenItIsDeliveredTwice() {
    PromptRequest request = Traffic.request("abc", 3);
    long first = deliver(request, 1);
    Run run = submitted();
    long second = deliver(request, 1);
    scheduler.expectNoMessage(Duration.ofMillis(30));

    durable(run);

    awaitCompleted(first, second);
  }

  @Test
  void shouldKeepTheRecordWhenItIsNoRequest() {
    long ticket = deliver("nonsense", 1);

    awaitCompleted(ticket);
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getFailure().getMessage()).isEqualTo("no record at all");
  }

  @Test
  void shouldWelcomeNothingWhileTheBufferIsFullOrTheEngineAway() {
    assertThat(source.open).isTrue();
    intake.tell(new RequestIntake.SchedulerHeard(new StepScheduler.Pressure(true)));
    Await.until(PATIENCE, () -> !source.open);
    intake.tell(new RequestIntake.EngineState(false));
    intake.tell(new RequestIntake.SchedulerHeard(new StepScheduler.Pressure(false)));
    intake.tell(new RequestIntake.EngineState(true));
    Await.until(PATIENCE, () -> source.open);
  }

  @Test
  void shouldFinishWhatRunsAndTakeNothingMoreWhenItDrains() {
    TestProbe<RequestIntake.Drained> drained = akka.createTestProbe();
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();

    intake.tell(new RequestIntake.Drain(Duration.ofSeconds(30), drained.ref()));
    Await.until(PATIENCE, () -> !source.open);
    drained.expectNoMessage(Duration.ofMillis(30));
    durable(run);

    drained.expectMessageClass(RequestIntake.Drained.class);
    assertThat(source.completed).containsExactly(ticket);
  }

  @Test
  void shouldGiveBackWhatStillRunsWhenDrainingTakesTooLong() {
    TestProbe<RequestIntake.Drained> drained = akka.createTestProbe();
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();

    intake.tell(new RequestIntake.Drain(Duration.ofMillis(50), drained.ref()));

    drained.expectMessageClass(RequestIntake.Drained.class);
    scheduler.expectMessage(new StepScheduler.Discard(run.attemptId()));
    assertThat(source.abandoned).containsExactly(ticket);
    assertThat(event(run.requestId(), CompletionType.ATTEMPT_FAILED).getFailure().getCode())
        .isEqualTo("WORKER_STOPPED");
  }
}
