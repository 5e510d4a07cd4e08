package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.junit.jupiter.api.Test;

/** How runs end, and what stops the steps. */
class StepSchedulerTest extends SchedulerStage {
  @Test
  void shouldFailAttemptsAndGoOnWhenTheEngineComesBack() {
    Run run = submit(bare("a", 5));
    StepPlan plan = nextPlan();
    replyTo.tell(new TensorParallelGroup.StepFailed(plan.id(), "broken"));

    StepScheduler.AttemptFailed failed =
        intake.expectMessageClass(StepScheduler.AttemptFailed.class);
    assertThat(failed.attemptId()).isEqualTo(run.attemptId());
    assertThat(failed.reason()).isEqualTo("broken");
    publisher.expectMessage(new ActivationPublisher.Abort(run.attemptId()));
    assertThat(events(run)).containsExactly(CompletionType.ACCEPTED, CompletionType.ATTEMPT_FAILED);
    submit(bare("b", 5));
    group.expectNoMessage(Duration.ofMillis(50));
    scheduler.tell(new StepScheduler.GroupDown("broken"));
    scheduler.tell(new StepScheduler.GroupUp(engine));
    assertThat(nextPlan().open()).hasSize(1);
  }

  @Test
  void shouldCancelAtTheStepBoundary() {
    Run run = submit(bare("a", 50));
    StepPlan first = nextPlan();
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.close()).hasSize(1);
    assertThat(second.feed()).isEmpty();
    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.CANCELLED);
    assertThat(end.getFailure().getMessage()).isEqualTo("enough");
  }

  @Test
  void shouldEndBehindRowsAndTokensWhenItIsStoppedWhileAStepRuns() {
    MockProducer<String, SpecificRecord> slow = producer(false);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(Traffic.request("a", 50));
    slow.completeNext();
    StepPlan first = nextPlan();
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    answer(first, true);

    publisher.expectMessageClass(ActivationPublisher.Rows.class);
    ActivationPublisher.Finish end = publisher.expectMessageClass(ActivationPublisher.Finish.class);
    assertThat(end.terminal().getType()).isEqualTo(CompletionType.CANCELLED);
    // The end waits for the step's token.
    assertThat(end.events().toCompletableFuture()).isNotDone();
    slow.completeNext();
    assertThat(end.events().toCompletableFuture()).isCompleted();
    assertThat(slow.history())
        .extracting(sent -> ((CompletionEvent) sent.value()).getType())
        .containsExactly(CompletionType.ACCEPTED, CompletionType.TOKENS);
  }

  @Test
  void shouldFailWhenTheDeadlinePassesWhileTheEngineIsAway() {
    scheduler.tell(new StepScheduler.GroupDown("restarting"));
    submit(Traffic.request("a", 5, r -> r.setDeadline(now.plusSeconds(60))));

    now = now.plusSeconds(61);

    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("DEADLINE_EXCEEDED");
  }

  @Test
  void shouldStopAdmittingAndThenSteppingWhenTheBrokerIsSlow() {
    scheduler = spawn(4, 4, 10 * POSITION_BYTES);
    submit(Traffic.request("abcd", 50));
    answer(nextPlan(), true);
    ActivationPublisher.Rows rows = publisher.expectMessageClass(ActivationPublisher.Rows.class);
    assertThat(rows.runs().get(0).rows().bytes()).isEqualTo(4 * POSITION_BYTES);
    answer(nextPlan(), true);
    answer(nextPlan(), true);
    assertThat(intake.receiveMessage()).isEqualTo(new StepScheduler.Pressure(true));
    for (int held = 7; held <= 10; held++) {
      answer(nextPlan(), true);
    }

    // Ten positions wait for the broker: the buffer is full, and the device stands still.
    group.expectNoMessage(Duration.ofMillis(150));
    rows.credits().tell(new ActivationPublisher.Credit(8 * POSITION_BYTES));
    assertThat(intake.receiveMessage()).isEqualTo(new StepScheduler.Pressure(false));
    assertThat(nextPlan().feed()).hasSize(1);
  }
}
