package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who joins when: by slots, by room in the engine, and last attempts alone. */
class JoiningTest extends SchedulerStage {
  /** Refuses all that join for lack of room and moves the others on. */
  private void answerWithoutRoom(StepPlan plan) {
    List<Long> refused = plan.open().stream().map(StepPlan.Open::sequence).toList();
    List<StepResult.Output> outputs =
        plan.feed().stream()
            .filter(feed -> !refused.contains(feed.sequence()))
            .map(
                feed ->
                    new StepResult.Output(
                        feed.sequence(), new float[0], new HeadSummary('x', 1, 6), List.of(), null))
            .toList();
    List<StepResult.Refusal> refusals =
        refused.stream().map(one -> new StepResult.Refusal(one, true, "no room")).toList();
    replyTo.tell(new TensorParallelGroup.StepDone(new StepResult(plan.id(), outputs, refusals, 0)));
  }

  private void refuse(StepPlan plan, boolean shortage) {
    List<StepResult.Refusal> refusals =
        plan.open().stream()
            .map(open -> new StepResult.Refusal(open.sequence(), shortage, "no room"))
            .toList();
    replyTo.tell(
        new TensorParallelGroup.StepDone(new StepResult(plan.id(), List.of(), refusals, 0)));
  }

  @Test
  void shouldLetTheNextJoinWhenASlotIsFree() {
    submit(bare("a", 1));
    StepPlan first = nextPlan();
    submit(bare("b", 3));
    submit(bare("c", 3));
    answer(first, false);

    StepPlan second = nextPlan();
    // The first has ended with its only token: it leaves in the step in which another joins.
    assertThat(second.close()).containsExactly(first.open().get(0).sequence());
    assertThat(opened(second)).containsExactly(1L);
    answer(second, false);
    // The last had no place until then, and joins when its attempt is on record.
    assertThat(opened(nextPlan())).containsExactly(2L);
    assertThat(finish().getType()).isEqualTo(CompletionType.FINISHED);
  }

  @Test
  void shouldWaitUntilOneLeavesWhenThereIsNoRoom() {
    submit(bare("a", 2));
    answer(nextPlan(), false);
    submit(bare("bbbb", 2));
    StepPlan second = nextPlan();
    answer(second, false);
    // The first ends here; the other opens, is refused, and waits while nothing else runs: so it
    // can never fit.
    StepPlan third = nextPlan();
    assertThat(third.open()).hasSize(1);
    refuse(third, true);

    CompletionEvent finished = finish();
    CompletionEvent failed = finish();
    assertThat(finished.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(failed.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(failed.getFailure().getMessage()).isEqualTo("no room");
  }

  @Test
  void shouldTryAgainWhenTheOneInItsWayIsDiscardedDuringTheStepThatRefusesIt() {
    Run first = submit(bare("a", 9));
    StepPlan before = nextPlan();
    submit(bare("b", 9));
    answer(before, false);
    StepPlan second = nextPlan();
    scheduler.tell(new StepScheduler.Discard(first.attemptId()));
    answerWithoutRoom(second);

    StepPlan third = nextPlan();

    assertThat(third.close()).containsExactly(opened(before).get(0));
    assertThat(opened(third)).isEqualTo(opened(second));
  }

  @Test
  void shouldRunAloneWhenItIsTheLastAttempt() {
    Run before = submit(bare("a", 2));
    StepPlan first = nextPlan();
    submit(bare("b", 2), true);
    submit(bare("c", 2));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.open()).isEmpty();
    answer(second, false);
    StepPlan third = nextPlan();
    assertThat(third.close()).hasSize(1);
    answer(third, false);
    // If it killed the process now, the one before it would have to run again.
    group.expectNoMessage(Duration.ofMillis(150));
    scheduler.tell(
        new StepScheduler.PublisherHeard(
            new ActivationPublisher.Durable(before.requestId(), before.attemptId())));
    StepPlan fourth = nextPlan();
    assertThat(opened(fourth)).containsExactly(1L);
    assertThat(fourth.feed()).hasSize(1);
    answer(fourth, false);
    assertThat(nextPlan().open()).isEmpty();
  }

  @Test
  void shouldKeepTheOrderWhenSeveralFindNoRoom() {
    scheduler = spawn(4, 8, 1_000_000);
    submit(bare("a", 4));
    StepPlan first = nextPlan();
    submit(bare("b", 4));
    submit(bare("c", 4));
    answer(first, false);
    StepPlan second = nextPlan();
    assertThat(opened(second)).containsExactly(1L, 2L);
    answerWithoutRoom(second);

    StepPlan third = nextPlan();
    submit(bare("d", 4));
    answer(third, false);
    StepPlan fourth = nextPlan();
    // Nobody joins while all that run go on, not even who came later.
    assertThat(opened(third)).isEmpty();
    assertThat(opened(fourth)).isEmpty();
    answer(fourth, false);

    StepPlan fifth = nextPlan();
    assertThat(fifth.close()).containsExactly(0L);
    assertThat(opened(fifth)).containsExactly(1L, 2L);
    answer(fifth, false);
    assertThat(opened(nextPlan())).containsExactly(3L);
  }

  @Test
  void shouldLetOthersInWhenTheOneThatFoundNoRoomIsCancelled() {
    submit(bare("a", 9));
    StepPlan first = nextPlan();
    Run large = submit(bare("b", 9));
    answer(first, false);
    answerWithoutRoom(nextPlan());
    StepPlan third = nextPlan();
    assertThat(opened(third)).isEmpty();
    submit(bare("c", 9));
    scheduler.tell(new StepScheduler.Cancel(large.requestId(), ""));
    answer(third, false);
    answer(nextPlan(), false);

    assertThat(opened(nextPlan())).containsExactly(2L);
    assertThat(finish().getType()).isEqualTo(CompletionType.CANCELLED);
  }

  @Test
  void shouldTryAgainWhenWhoHeldTheRoomWasDiscardedMeanwhile() {
    Run holder = submit(bare("a", 9));
    StepPlan first = nextPlan();
    submit(bare("b", 9));
    answer(first, false);
    StepPlan second = nextPlan();
    scheduler.tell(new StepScheduler.Discard(holder.attemptId()));
    answerWithoutRoom(second);

    StepPlan third = nextPlan();
    assertThat(third.close()).containsExactly(0L);
    assertThat(opened(third)).containsExactly(1L);
  }
}
