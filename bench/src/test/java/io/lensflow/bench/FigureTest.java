package io.lensflow.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FigureTest {
  @Test
  void shouldTakeTheMedianAndKeepTheOrderOfSamples() {
    assertThat(Figure.ofSamples("x", "ratio", List.of(3.0, 1.0, 2.0)))
        .isEqualTo(new Figure("x", 2.0, "ratio", List.of(3.0, 1.0, 2.0)));
    assertThat(Figure.ofSamples("x", "ratio", List.of(4.0, 1.0, 2.0, 3.0)).value()).isEqualTo(2.5);
  }

  @Test
  void shouldCompareInTurnsAndLeaveTheWarmUpOut() throws Exception {
    StringBuilder order = new StringBuilder();
    assertThat(new Comparison(2).speedShare(() -> order.append('m'), () -> order.append('r')))
        .hasSize(2)
        .allSatisfy(share -> assertThat(share).isPositive());
    assertThat(order).hasToString("mrmrmr");
  }
}
