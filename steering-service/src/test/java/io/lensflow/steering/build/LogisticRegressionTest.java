package io.lensflow.steering.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.steering.algebra.Doubles;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LogisticRegressionTest {
  private static final double[][] FEATURES = {
    {0.5, 1.2}, {1.5, -0.3}, {-0.7, 0.8}, {-1.1, -0.9}, {0.2, -1.4}, {2.0, 0.4}
  };
  private static final boolean[] POSITIVE = {true, true, false, false, true, false};

  @Test
  void shouldEndWhereTheGradientIsZero() {
    LogisticRegression regression = new LogisticRegression(FEATURES, POSITIVE, 1);
    double[] weights = regression.fit();
    assertThat(Doubles.norm(regression.gradient(weights))).isLessThan(1e-9);
    // the condition written out: w = Σ (t − p) x, and Σ (t − p) = 0 as b is not penalised
    double[] sum = new double[3];
    for (int n = 0; n < FEATURES.length; n++) {
      double score = weights[2] + weights[0] * FEATURES[n][0] + weights[1] * FEATURES[n][1];
      double left = (POSITIVE[n] ? 1 : 0) - 1 / (1 + Math.exp(-score));
      sum[0] += left * FEATURES[n][0];
      sum[1] += left * FEATURES[n][1];
      sum[2] += left;
    }
    assertThat(sum[0]).isCloseTo(weights[0], within(1e-9));
    assertThat(sum[1]).isCloseTo(weights[1], within(1e-9));
    assertThat(sum[2]).isCloseTo(0, within(1e-9));
  }

  /** Reference: 200,000 steps of plain gradient descent on scikit-learn's objective. */
  @Test
  void shouldAgreeWithAReferenceImplementation() {
    double[] weights = new LogisticRegression(FEATURES, POSITIVE, 1).fit();
    assertThat(weights)
        .containsExactly(new double[] {0.383158860, -0.226987238, -0.161292856}, within(1e-6));
  }

  @Test
  void shouldConvergeWhenAllItemsAreToldApart() {
    Random random = new Random(7);
    double[][] features = new double[60][400];
    boolean[] positive = new boolean[60];
    for (int n = 0; n < 60; n++) {
      positive[n] = n % 2 == 0;
      for (int i = 0; i < 400; i++) {
        features[n][i] = random.nextGaussian() + (positive[n] ? 0.3 : -0.3);
      }
    }
    LogisticRegression regression = new LogisticRegression(features, positive, 1);
    assertThat(Doubles.norm(regression.gradient(regression.fit()))).isLessThan(1e-7);
  }
}
