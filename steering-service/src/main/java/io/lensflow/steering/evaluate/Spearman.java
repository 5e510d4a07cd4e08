package io.lensflow.steering.evaluate;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Spearman's rank correlation, equal values sharing the average of their ranks. Stateless. */
final class Spearman {
  private Spearman() {}

  /**
   * The correlation of two series' ranks.
   *
   * @param x [n]
   * @param y [n]
   * @return −1 … 1; null where one of them is constant, so that it has no order
   */
  static Double of(double[] x, double[] y) {
    if (Moments.constant(x) || Moments.constant(y)) {
      return null;
    }
    double[] ranksX = ranks(x);
    double[] ranksY = ranks(y);
    LinearFit fit = LinearFit.of(ranksX, ranksY);
    return fit.slope() * Moments.deviation(ranksX) / Moments.deviation(ranksY);
  }

  /** Ranks from 1, ties averaged. */
  static double[] ranks(double[] values) {
    List<Integer> order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .toList();
    double[] ranks = new double[values.length];
    for (int start = 0, end; start < order.size(); start = end) {
      end = start + 1;
      while (end < order.size() && values[order.get(end)] == values[order.get(start)]) {
        end++;
      }
      double average = (start + 1 + end) / 2.0;
      order.subList(start, end).forEach(i -> ranks[i] = average);
    }
    return ranks;
  }
}
