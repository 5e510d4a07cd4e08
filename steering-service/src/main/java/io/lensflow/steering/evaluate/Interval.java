package io.lensflow.steering.evaluate;

import java.util.Arrays;
import java.util.Random;

/**
 * A percentile bootstrap interval of a mean (Efron 1979): items are drawn again with replacement.
 *
 * @param low lower end
 * @param high upper end
 * @param level share of the resampled means between them
 * @param resamples how often items were drawn
 * @param seed of the draws: equal seeds give equal intervals
 */
public record Interval(double low, double high, double level, int resamples, long seed) {
  static final double LEVEL = 0.95;
  static final int RESAMPLES = 10_000;

  /**
   * The 95 % interval of the mean.
   *
   * @param values [n], n ≥ 1
   */
  static Interval ofMean(double[] values, long seed) {
    // java.util.Random is specified bit for bit; its quality is ample for drawing items.
    Random random = new Random(seed);
    double[] means = new double[RESAMPLES];
    for (int i = 0; i < RESAMPLES; i++) {
      double sum = 0;
      for (int draw = 0; draw < values.length; draw++) {
        sum += values[random.nextInt(values.length)];
      }
      means[i] = sum / values.length;
    }
    Arrays.sort(means);
    double tail = (1 - LEVEL) / 2;
    return new Interval(quantile(means, tail), quantile(means, 1 - tail), LEVEL, RESAMPLES, seed);
  }

  /** Between the two nearest of n sorted values, as numpy's default does. */
  static double quantile(double[] sorted, double q) {
    double place = q * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
