package io.lensflow.bench.classical;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class InterpolationTest {
  @Test
  void shouldSumALineExactly() {
    int[] points = {64, 128, 192, 256, 319};
    double[] values = IntStream.of(points).mapToDouble(s -> 0.5 + 0.25 * s).toArray();

    assertThat(Interpolation.sum(points, values))
        .isCloseTo(
            IntStream.rangeClosed(64, 319).mapToDouble(s -> 0.5 + 0.25 * s).sum(), within(1e-6));
  }

  @Test
  void shouldSumWhatAStepCostsToTwoThousandths() {
    // A step is linear in the sequence's length, and its attention quadratic: a tenth at the end.
    int[] points = {64, 128, 192, 256, 319};
    double[] values = IntStream.of(points).mapToDouble(InterpolationTest::cost).toArray();
    double exact = IntStream.rangeClosed(64, 319).mapToDouble(InterpolationTest::cost).sum();

    assertThat(Interpolation.sum(points, values) / exact).isCloseTo(1, within(2e-3));
  }

  private static double cost(int length) {
    return length + 0.1 * length * length / 319.0;
  }
}
