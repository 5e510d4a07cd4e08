package io.lensflow.bench.figure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class FigureTest {
  @Test
  void shouldTakeTheMedianAndKeepTheOrderOfSamples() {
    assertThat(Figure.ofSamples("x", "ratio", List.of(3.0, 1.0, 2.0)))
        .isEqualTo(new Figure("x", 2.0, "ratio", List.of(3.0, 1.0, 2.0)));
    assertThat(Figure.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
    assertThatThrownBy(() -> Figure.median(List.of())).hasMessage("no samples");
  }

  @Test
  void shouldSayWhetherLimitAndAimAreReached() {
    Bound share = Bound.atLeast(0.7, 0.85);
    assertThat(share).hasToString("≥ 0.70, aim 0.85");
    assertThat(share.verdict(0.69)).isEqualTo("MISSED");
    assertThat(share.verdict(0.7)).isEqualTo("limit kept");
    assertThat(share.verdict(0.85)).isEqualTo("aim reached");

    assertThat(Bound.atMost(500)).hasToString("≤ 500");
    assertThat(Bound.atMost(500).verdict(501)).isEqualTo("MISSED");
    assertThat(Bound.atMost(500).verdict(500)).isEqualTo("limit kept");

    assertThat(Bound.aimingAt(0.6).verdict(0.5)).isEqualTo("below aim");
    assertThat(Bound.aimingAt(0.6).verdict(0.6)).isEqualTo("aim reached");
    assertThat(Bound.NONE).hasToString("stated");
    assertThat(Bound.NONE.verdict(-1)).isEmpty();
  }
}
