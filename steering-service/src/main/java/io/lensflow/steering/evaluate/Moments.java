package io.lensflow.steering.evaluate;

import java.util.Arrays;

/** Mean and spread. Stateless. */
final class Moments {
  private Moments() {}

  /** The mean; NaN of nothing. */
  static double mean(double[] values) {
    return Arrays.stream(values).sum() / values.length;
  }

  /** The population standard deviation: the divisor is n. */
  static double deviation(double[] values) {
    double mean = mean(values);
    return Math.sqrt(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / values.length);
  }

  /** Whether all values are the same. */
  static boolean constant(double[] values) {
    return Arrays.stream(values).allMatch(v -> v == values[0]);
  }
}
