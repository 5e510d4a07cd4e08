package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.worker.request.Lane;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LaneTurnsTest {
  private static final Duration STEP = Duration.ofMillis(10);
  private static final Duration TWO_MINUTES = Duration.ofMinutes(2);

  @ParameterizedTest
  @CsvSource({"0.1, 1", "0.1, 10", "0.1, 730", "0.25, 40", "0.5, 3"})
  void shouldGiveTheBatchLaneItsShareOfTheTimeWhateverItsStepsTake(double share, int batchMillis) {
    LaneTurns turns = new LaneTurns(share);
    double interactive = 0;
    double batch = 0;
    for (int i = 0; i < 20_000; i++) {
      boolean due = turns.isBatchDue();
      Duration took = due ? Duration.ofMillis(batchMillis) : STEP;
      turns.stepped(due ? Lane.BATCH : Lane.INTERACTIVE, took, false);
      interactive += due ? 0 : took.toMillis();
      batch += due ? took.toMillis() : 0;
    }

    assertThat(batch / (batch + interactive)).isCloseTo(share, within(0.01));
  }

  @Test
  void shouldWaitNoLongerThanItsLastStepHasCost() {
    LaneTurns turns = new LaneTurns(0.1);
    turns.stepped(Lane.INTERACTIVE, STEP, false);
    assertThat(turns.isBatchDue()).isTrue();
    turns.stepped(Lane.BATCH, Duration.ofMillis(100), false);
    int steps = 0;
    while (!turns.isBatchDue()) {
      turns.stepped(Lane.INTERACTIVE, STEP, false);
      steps++;
    }

    assertThat(STEP.multipliedBy(steps).toMillis()).isBetween(880L, 910L);
  }

  @Test
  void shouldGiveTheBatchLaneHalfOfTheTimeWhenItHoldsWhatAnotherWaitsFor() {
    LaneTurns turns = new LaneTurns(0.1);
    int batch = 0;
    for (int i = 0; i < 100; i++) {
      boolean due = turns.isBatchDue();
      turns.stepped(due ? Lane.BATCH : Lane.INTERACTIVE, STEP, true);
      batch += due ? 1 : 0;
    }

    assertThat(batch).isEqualTo(50);
  }

  @Test
  void shouldSaveNothingUpForABatchThatComesLater() {
    LaneTurns turns = new LaneTurns(0.1);
    for (int i = 0; i < 1000; i++) {
      turns.stepped(Lane.INTERACTIVE, STEP, false);
    }
    turns.stepped(Lane.BATCH, STEP, false);

    assertThat(turns.isBatchDue()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"3600", "-3600"})
  void shouldStarveNobodyWhenTheClockWasSetDuringAStep(long seconds) {
    Duration wrong = Duration.ofSeconds(seconds);
    for (Lane during : Lane.values()) {
      LaneTurns turns = new LaneTurns(0.1);
      turns.stepped(Lane.INTERACTIVE, STEP, false);
      turns.stepped(during, wrong, false);
      Duration interactive = Duration.ZERO;
      Duration batch = Duration.ZERO;
      while (interactive.isZero() || batch.isZero()) {
        boolean due = turns.isBatchDue();
        turns.stepped(due ? Lane.BATCH : Lane.INTERACTIVE, STEP, false);
        interactive = interactive.plus(due ? Duration.ZERO : STEP);
        batch = batch.plus(due ? STEP : Duration.ZERO);
        assertThat(interactive.plus(batch)).as("during %s", during).isLessThan(TWO_MINUTES);
      }
    }
  }

  @Test
  void shouldKeepStepsShortForAWhileWhenTheLastOneHasLeft() {
    LaneTurns turns = new LaneTurns(0.1);
    Instant now = Instant.now();
    assertThat(turns.isShared(now)).isFalse();
    turns.interactive(now);

    assertThat(turns.isShared(now.plusMillis(900))).isTrue();
    assertThat(turns.isShared(now.plusMillis(1100))).isFalse();
  }
}
