package io.lensflow.steering.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class SteerabilityTest {
  private static final double[] X = {-1, 0, 1, 2};

  @Test
  void shouldComputeSlopesByHand() {
    // Means of x and y: 0.5 and 3, 0.5 and −0.25. Σ(x−x̄)² = 5; Σ(x−x̄)(y−ȳ) = 10 and −1.5.
    double[][] propensity = {{0, 2, 4, 6}, {0, 0, 0, -1}};

    Steerability found = Steerability.of(X, propensity, 1);

    assertThat(found.slopes()).containsExactly(new double[] {2, -0.3}, within(1e-15));
    assertThat(found.overall().items()).isEqualTo(2);
    assertThat(found.overall().mean()).isCloseTo(0.85, within(1e-15));
    assertThat(found.overall().deviation()).as("population").isCloseTo(1.15, within(1e-15));
    assertThat(found.overall().antiSteerable()).isEqualTo(0.5);
    assertThat(found.meanCurve()).containsExactly(0, 1, 2, 2.5);
    assertThat(found.deviationCurve()).containsExactly(0, 1, 2, 3.5);
    // The curve 0, 1, 2, 2.5: ȳ = 1.375, Σ(y−ȳ)² = 3.6875, Σ(x−x̄)(y−ȳ) = 4.25.
    assertThat(found.r2()).isCloseTo(4.25 * 4.25 / (5 * 3.6875), within(1e-15));
    assertThat(found.spearman()).isEqualTo(1.0);
    assertThat(found.among(1).mean()).isCloseTo(-0.3, within(1e-15));
  }

  @Test
  void shouldHaveTheSlopeOfTheMeanCurveAsMeanSlope() {
    double[][] propensity = {{3, 1, 4, 1}, {5, 9, 2, 6}, {5, 3, 5, 8}};
    Steerability found = Steerability.of(X, propensity, 1);
    assertThat(LinearFit.of(X, found.meanCurve()).slope())
        .isCloseTo(found.overall().mean(), within(1e-15));
  }

  @Test
  void shouldShareRanksAmongEqualValues() {
    assertThat(Spearman.ranks(new double[] {7, 1, 7, 3, 7})).containsExactly(4, 1, 4, 2, 4);
    // Ranks 1 2 3 4 against 1 2.5 2.5 4: Σ(dx dy) = 4.5, Σdx² = 5, Σdy² = 4.5.
    assertThat(Spearman.of(X, new double[] {0, 5, 5, 6}))
        .isCloseTo(4.5 / Math.sqrt(5 * 4.5), within(1e-15));
    assertThat(Spearman.of(X, new double[] {9, 5, 1, 0})).isEqualTo(-1.0);
  }

  @Test
  void shouldSayNothingOfOrderAndLineWhenTheMeanCurveIsConstant() {
    Steerability flat = Steerability.of(X, new double[][] {{2, 2, 2, 2}}, 1);
    assertThat(flat.r2()).isNull();
    assertThat(flat.spearman()).isNull();
    assertThat(flat.overall()).isEqualTo(new Slopes(1, 0, 0, 0));
  }

  @Test
  void shouldBootstrapTheMeanReproducibly() {
    // A fair coin of 400 throws: its mean's 95 % interval is 0.5 ± 1.96 · 0.5 / 20.
    double[] coin = IntStream.range(0, 400).mapToDouble(i -> i % 2).toArray();
    Interval interval = Interval.ofMean(coin, 42);
    assertThat(interval.low()).isCloseTo(0.451, within(0.003));
    assertThat(interval.high()).isCloseTo(0.549, within(0.003));
    assertThat(Interval.ofMean(coin, 42)).isEqualTo(interval);
    assertThat(Interval.ofMean(coin, 43)).isNotEqualTo(interval);
    assertThat(Interval.quantile(new double[] {0, 1, 2, 4}, 0.5)).isEqualTo(1.5);
  }

  @Test
  void shouldRefuseWhatHasNoSlope() {
    assertThatThrownBy(() -> Steerability.of(new double[] {1, 1}, new double[][] {{0, 0}}, 1))
        .hasMessage("a slope needs at least two different multipliers");
    assertThatThrownBy(() -> Steerability.of(X, new double[0][], 1))
        .hasMessage("a mean slope needs at least one item");
  }

  /**
   * The goldens' propensities have five decimals, so that slopes made of them miss the goldens'
   * slopes by up to 9.3e-6: half a unit of the fifth place times Σ|x−x̄| / Σ(x−x̄)² = 6 / 7, and
   * half a unit more for their own rounding.
   */
  @Test
  void shouldAgreeWithGoldensThatSomebodyElseComputed() throws IOException {
    JsonNode golden =
        new ObjectMapper()
            .readTree(
                SharedData.folder("fixtures/smollm2-135m-instruct").resolve("golden.json").toFile())
            .get("steerability");
    double rounding = 0.5e-5 * (6.0 / 7) + 0.5e-5 + 1e-9;
    for (JsonNode entry : golden) {
      double[][] propensity =
          StreamSupport.stream(entry.get("propensity").spliterator(), false)
              .map(SteerabilityTest::doubles)
              .toArray(double[][]::new);

      Steerability found = Steerability.of(doubles(entry.get("multipliers")), propensity, 1);

      assertThat(found.slopes()).containsExactly(doubles(entry.get("slopes")), within(rounding));
      assertThat(found.overall().mean())
          .isCloseTo(entry.get("meanSlope").doubleValue(), within(1e-6));
      assertThat(found.overall().deviation())
          .isCloseTo(entry.get("stdSlope").doubleValue(), within(1e-6));
      assertThat(found.overall().antiSteerable())
          .isCloseTo(entry.get("antiSteerableFraction").doubleValue(), within(1e-9));
    }
    assertThat(golden).hasSize(4);
  }

  private static double[] doubles(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::doubleValue)
        .toArray();
  }
}
