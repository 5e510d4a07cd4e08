package io.lensflow.steering.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DivergenceTest {
  private static final double[] P = logs(0.5, 0.25, 0.125, 0.125);
  private static final double[] Q = logs(0.25, 0.25, 0.25, 0.25);

  private static double[] logs(double... probabilities) {
    return Arrays.stream(probabilities).map(Math::log).toArray();
  }

  @Test
  void shouldComputeTheDivergenceOfWholeDistributions() {
    // ½ ln 2 + 0 + 2 · ⅛ ln ½
    assertThat(Divergence.kl(P, Q, true)).isCloseTo(0.25 * Math.log(2), within(1e-15));
    assertThat(Divergence.kl(P, P, true)).isZero();
  }

  @Test
  void shouldTakeTheRestAsOneAndNeverSayTooMuch() {
    double[] someP = Arrays.copyOf(P, 2);
    double[] someQ = Arrays.copyOf(Q, 2);
    // ½ ln 2 + ¼ ln 1 + ¼ ln ½
    assertThat(Divergence.kl(someP, someQ, false)).isCloseTo(0.25 * Math.log(2), within(1e-15));
    double[] oneP = Arrays.copyOf(P, 1);
    double[] oneQ = Arrays.copyOf(Q, 1);
    assertThat(Divergence.kl(oneP, oneQ, false))
        .isCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(0.5 / 0.75), within(1e-15))
        .isLessThan(Divergence.kl(P, Q, true));
  }

  @Test
  void shouldNotBeMovedByWhatSinglePrecisionLeavesOfTheRest() {
    double[] almost = logs(1 - 3e-8, 3e-8);
    assertThat(Divergence.kl(almost, logs(1, 1e-12), false)).isLessThan(1e-6);
    assertThat(Divergence.kl(logs(1, 0), logs(0.5, 0.5), true))
        .isCloseTo(Math.log(2), within(1e-15));
  }
}
