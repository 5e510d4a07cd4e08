package io.lensflow.bench.accuracy;

import java.util.Arrays;

/**
 * Absolute deviations of one metric, how many there are, and how many break its bound.
 *
 * <p>Not thread-safe.
 */
final class Deviations {
  private final String name;
  private double[] values = new double[1024];
  private int count;
  private int broken;

  Deviations(String name) {
    this.name = name;
  }

  /**
   * Adds one.
   *
   * @param deviation its size; NaN counts as infinite
   * @param allowed the bound that it is held to
   */
  void add(double deviation, double allowed) {
    if (count == values.length) {
      values = Arrays.copyOf(values, 2 * count);
    }
    double size = Double.isNaN(deviation) ? Double.POSITIVE_INFINITY : Math.abs(deviation);
    values[count++] = size;
    if (size > allowed) {
      broken++;
    }
  }

  String name() {
    return name;
  }

  int count() {
    return count;
  }

  /** How many are over their bound. */
  int broken() {
    return broken;
  }

  /** The share that is over its bound. */
  double brokenShare() {
    return count == 0 ? 0 : (double) broken / count;
  }

  /** The value that a share {@code q} of all does not exceed. */
  double quantile(double q) {
    if (count == 0) {
      return 0;
    }
    double[] sorted = Arrays.copyOf(values, count);
    Arrays.sort(sorted);
    return sorted[(int) Math.min(count - 1L, (long) Math.ceil(q * count))];
  }
}
