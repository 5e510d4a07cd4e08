package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.PromptRequest;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.request.Lane;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Steps of both lanes as they are composed, with an engine and a clock that the test plays. */
class LaneSchedulingTest {
  private static final EngineInfo ENGINE = Runs.engine(4, 8);
  private static final long POSITION_BYTES = 4L * 8 * Float.BYTES;
  private static final int PREFILL = 16;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration STEP = Duration.ofMillis(10);

  private Instant now = Instant.now();
  private long nextSequence;
  private long buffered;
  private Batch batch;
  private StepComposer composer;

  private void start(int slots, int batchSlots, boolean wholeChunks, int kvTokens) {
    BatchLane lane = new BatchLane(batchSlots, 0.1, 0.25, PATIENCE);
    StepScheduler.Settings settings =
        new StepScheduler.Settings(
            slots, lane, PREFILL, wholeChunks, 0, 100 * POSITION_BYTES, "completions");
    batch = new Batch(slots, lane, 0);
    batch.kvTokens(kvTokens);
    composer = new StepComposer(settings, batch);
  }

  private Generation add(Lane lane, PromptRequest request, boolean last) {
    Generation one =
        new Generation(
            Runs.run(ENGINE, request, 1, last, lane), nextSequence++, Runs.TOKENIZER, Set.of());
    batch.add(one);
    return one;
  }

  private Generation add(Lane lane, int prompt, int tokens) {
    return add(
        lane,
        Traffic.request("p".repeat(prompt), tokens, r -> r.getCapture().setHookPoints(List.of())),
        false);
  }

  private StepPlan compose() {
    batch.takeUnannounced(now).forEach(one -> one.announced(true));
    return composer.compose(ENGINE, buffered, now);
  }

  /** Runs one step, which takes so long; gives its plan. */
  private StepPlan step(Duration takes) {
    StepPlan plan = compose();
    finish(plan, takes);
    return plan;
  }

  private void finish(StepPlan plan, Duration takes) {
    now = now.plus(takes);
    composer.stepped(takes);
    for (StepPlan.Feed feed : plan.feed()) {
      Generation one = batch.running(feed.sequence());
      HeadSummary summary = new HeadSummary('x', 1, 6);
      one.advance(
          composer.fed(feed.sequence()),
          new StepResult.Output(feed.sequence(), new float[0], summary, List.of(), null),
          now);
      if (one.isFinished()) {
        batch.leave(one);
        batch.settled(one.run().attemptId());
      }
    }
  }

  private static int tokens(StepPlan plan) {
    return plan.feed().stream().mapToInt(feed -> feed.tokenIds().length).sum();
  }

  private static List<Long> fed(StepPlan plan) {
    return plan.feed().stream().map(StepPlan.Feed::sequence).toList();
  }

  @Test
  void shouldGiveTheBatchLaneItsShareOfTimeWhileInteractiveRequestsGenerate() {
    start(4, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 150);
    add(Lane.BATCH, 150, 0);
    double interactive = 0;
    double mayWait = 0;
    for (int i = 0; i < 140; i++) {
      StepPlan plan = compose();
      boolean others = composer.lane() == Lane.BATCH;
      // Never both: what a step of the batch lane takes is known from its own time.
      assertThat(fed(plan)).hasSize(1);
      assertThat(tokens(plan)).isLessThanOrEqualTo(PREFILL / 4);
      Duration takes = others ? STEP.multipliedBy(3) : STEP;
      finish(plan, takes);
      interactive += others ? 0 : takes.toMillis();
      mayWait += others ? takes.toMillis() : 0;
    }

    assertThat(mayWait / (mayWait + interactive)).isBetween(0.08, 0.12);
  }

  @Test
  void shouldGiveTheBatchLaneEverythingWhenNobodyElseIsThere() {
    start(4, 4, false, 100_000);
    Generation person = add(Lane.INTERACTIVE, 2, 1);
    add(Lane.BATCH, 100, 0);
    assertThat(fed(step(STEP))).containsExactly(person.sequence());

    // The next one may come any moment: steps stay short for a while.
    assertThat(tokens(step(STEP))).isEqualTo(PREFILL / 4);
    now = now.plusSeconds(2);
    assertThat(tokens(step(STEP))).isEqualTo(PREFILL);
    assertThat(tokens(step(STEP))).isEqualTo(PREFILL);
  }

  @Test
  void shouldReadPromptsOfTheBatchLaneOneAfterTheOther() {
    start(4, 4, false, 100_000);
    Generation first = add(Lane.BATCH, 40, 0);
    Generation second = add(Lane.BATCH, 40, 0);
    List<Integer> left = new ArrayList<>();
    stepUntil(first::isFinished, () -> left.add(second.promptLeft()));

    // What the last step of the first one left of the budget is the second's.
    assertThat(left).containsExactly(40, 40, 40);
    assertThat(second.promptLeft()).isEqualTo(32);
  }

  @Test
  void shouldReadWholeChunksOfTheBatchLaneWhenChunksAreWhole() {
    start(4, 4, true, 100_000);
    add(Lane.INTERACTIVE, 2, 50);
    add(Lane.BATCH, 100, 0);
    List<Integer> sizes = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      StepPlan plan = step(STEP);
      if (composer.lane() == Lane.BATCH) {
        sizes.add(tokens(plan));
      }
    }

    assertThat(sizes).isNotEmpty().allMatch(size -> size == PREFILL);
  }

  @Test
  void shouldHoldNoMoreOfThePoolThanItsShare() {
    start(4, 8, false, 640);
    for (int i = 0; i < 5; i++) {
      add(Lane.BATCH, 40, 20); // 64 tokens of the pool each, in blocks of 16
    }
    for (int i = 0; i < 40 && batch.running().size() < 3; i++) {
      step(STEP);
    }
    assertThat(batch.running()).hasSize(2);

    // Interactive ones are not counted, and join at once.
    Generation person = add(Lane.INTERACTIVE, 100, 50);
    assertThat(fed(step(STEP))).containsExactly(person.sequence());
    stepUntil(
        () -> batch.waitingCount() == 0,
        () ->
            assertThat(batch.running().stream().filter(g -> g.run().lane() == Lane.BATCH).count())
                .isLessThanOrEqualTo(2));
  }

  @Test
  void shouldLeaveRoomInTheBufferToOthers() {
    start(4, 4, false, 100_000);
    Generation mayWait = add(Lane.BATCH, Traffic.request("p".repeat(100), 0), false);
    now = now.plusSeconds(2);
    buffered = 20 * POSITION_BYTES;
    assertThat(tokens(step(STEP))).isEqualTo(5);
    buffered = 25 * POSITION_BYTES;
    assertThat(step(STEP).isEmpty()).isTrue();

    Generation person = add(Lane.INTERACTIVE, Traffic.request("p".repeat(10), 1), false);
    assertThat(fed(step(STEP))).containsExactly(person.sequence());
    assertThat(mayWait.promptLeft()).isEqualTo(95);
  }

  @Test
  void shouldNotJoinWhileAnInteractiveRequestWaitsForRoom() {
    start(4, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 5);
    step(STEP);
    Generation large = add(Lane.INTERACTIVE, 2, 100);
    step(STEP);
    batch.waitForRoom(List.of(large));
    Generation mayWait = add(Lane.BATCH, 2, 3);
    stepUntil(() -> isRunning(large), () -> assertThat(mayWait.promptLeft()).isEqualTo(2));

    stepUntil(mayWait::isFinished, () -> {});
  }

  @Test
  void shouldMakeHasteWhenAnInteractiveRequestWaitsForRoomThatItHolds() {
    start(4, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 150);
    Generation mayWait = add(Lane.BATCH, 150, 0);
    stepUntil(() -> isRunning(mayWait), () -> {});
    Generation large = add(Lane.INTERACTIVE, 2, 100);
    stepUntil(() -> isRunning(large), () -> {});
    batch.waitForRoom(List.of(large));

    int left = mayWait.promptLeft();
    for (int i = 0; i < 20; i++) {
      step(STEP);
    }
    // Every second step, instead of every tenth.
    assertThat(left - mayWait.promptLeft()).isBetween(9 * PREFILL / 4, 10 * PREFILL / 4);
  }

  @Test
  void shouldHurryNoMoreWhenTheOneThatFoundNoRoomHasGone() {
    start(4, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 150);
    Generation mayWait = add(Lane.BATCH, 150, 0);
    Generation large = add(Lane.INTERACTIVE, 2, 100);
    stepUntil(() -> isRunning(mayWait) && isRunning(large), () -> {});
    batch.waitForRoom(List.of(large));
    assertThat(batch.keepsInteractiveOut()).isTrue();

    batch.discard(large.run().attemptId());

    assertThat(batch.keepsInteractiveOut()).isFalse();
  }

  @Test
  void shouldHaveItsTurnBeforeAllOthersWhenItWasHeldUpForTooLong() {
    start(2, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 100);
    Generation mayWait = add(Lane.BATCH, 2, 50);
    stepUntil(() -> isRunning(mayWait), () -> {});
    // The engine has no room for it, and others come before it when one leaves.
    batch.waitForRoom(List.of(mayWait));
    Generation second = add(Lane.INTERACTIVE, 2, 3);
    step(STEP);
    assertThat(isRunning(second)).isTrue();

    now = now.plus(PATIENCE).plusMillis(1);
    Generation third = add(Lane.INTERACTIVE, 2, 3);
    stepUntil(second::isFinished, () -> assertThat(isRunning(third)).isFalse());

    // Also until its lane has a step: the room that was left is not the third one's to take.
    stepUntil(() -> isRunning(mayWait), () -> assertThat(isRunning(third)).isFalse());
    stepUntil(third::isFinished, () -> {});
  }

  @Test
  void shouldHoldNobodyUpWhenItHasWaitedForItsOwnLaneOnly() {
    start(3, 1, false, 100_000);
    add(Lane.INTERACTIVE, 2, 300);
    Generation first = add(Lane.BATCH, 2, 3);
    stepUntil(() -> isRunning(first), () -> {});
    PromptRequest broken = Traffic.request("pp", 3, r -> r.getCapture().setHookPoints(List.of()));
    Generation last = add(Lane.BATCH, broken, true);

    now = now.plus(PATIENCE).plusMillis(1);
    stepUntil(first::isFinished, () -> {});
    Generation second = add(Lane.INTERACTIVE, 2, 3);
    stepUntil(second::isFinished, () -> {});

    assertThat(second.isFinished()).isTrue();
    assertThat(isRunning(last)).isFalse();
  }

  @Test
  void shouldRunItsLastAttemptAloneWhenItHasWaitedLongEnough() {
    start(2, 4, false, 100_000);
    add(Lane.INTERACTIVE, 2, 5);
    step(STEP);
    PromptRequest broken = Traffic.request("pp", 3, r -> r.getCapture().setHookPoints(List.of()));
    Generation last = add(Lane.BATCH, broken, true);
    Generation second = add(Lane.INTERACTIVE, 2, 8);
    step(STEP);
    assertThat(isRunning(second)).isTrue();

    now = now.plus(PATIENCE).plusMillis(1);
    Generation third = add(Lane.INTERACTIVE, 2, 8);
    stepUntil(() -> isRunning(last), () -> assertThat(isRunning(third)).isFalse());
    assertThat(batch.running()).containsExactly(last);
    stepUntil(last::isFinished, () -> assertThat(isRunning(third)).isFalse());
    stepUntil(third::isFinished, () -> {});
  }

  private boolean isRunning(Generation one) {
    return batch.running(one.sequence()) != null;
  }

  /** Steps until something holds, and looks at each step before. */
  private void stepUntil(BooleanSupplier condition, Runnable check) {
    for (int i = 0; i < 300 && !condition.getAsBoolean(); i++) {
      check.run();
      step(STEP);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }
}
