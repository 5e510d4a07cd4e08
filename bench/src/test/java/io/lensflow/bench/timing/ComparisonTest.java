package io.lensflow.bench.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ComparisonTest {
  private final StringBuilder order = new StringBuilder();

  @Test
  void shouldTakeTurnsAndLeaveTheWarmUpOut() throws Exception {
    Timings timings = new Comparison(2).alternate(said("a", 2), said("b", 4));

    assertThat(order).hasToString("ababab");
    assertThat(timings.rounds()).hasSize(2);
    assertThat(timings.samples(seconds -> seconds[0] / seconds[1])).containsExactly(0.5, 0.5);
    assertThat(timings.median(1)).isEqualTo(4);
  }

  @Test
  void shouldMixFinelyAndAddUpWhenThereAreSeveralTurns() throws Exception {
    Timings timings = new Comparison(1).alternate(4, said("a", 2), said("b", 3));

    assertThat(order).hasToString("abbaabba".repeat(2));
    assertThat(timings.rounds()).singleElement().isEqualTo(new double[] {8, 12});
  }

  @Test
  void shouldTimeOneOfManyRuns() throws Exception {
    int[] runs = new int[1];
    double seconds = Timed.each(5, () -> runs[0]++).seconds();

    assertThat(runs[0]).isEqualTo(5);
    assertThat(seconds).isCloseTo(0, within(0.1)).isPositive();
  }

  @Test
  void shouldRefuseNoRounds() {
    assertThatThrownBy(() -> new Comparison(0)).hasMessageContaining("rounds is 0");
  }

  private Timed said(String letter, double seconds) {
    return () -> {
      order.append(letter);
      return seconds;
    };
  }
}
