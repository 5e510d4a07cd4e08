package io.lensflow.bench.accuracy;

import io.lensflow.bench.figure.Percentiles;
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

  /** Percentiles of what was added so far. */
  Percentiles percentiles() {
    return Percentiles.of(Arrays.copyOf(values, count));
  }
}
