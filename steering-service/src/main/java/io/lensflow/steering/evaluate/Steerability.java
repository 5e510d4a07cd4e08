package io.lensflow.steering.evaluate;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What the propensities of N items at M multipliers say about a vector (Tan et al. 2024). Immutable
 * by agreement: nobody writes to the arrays.
 *
 * <p>An item's propensity is the logit of the matching answer's token less that of the other's; its
 * slope, by least squares over the multipliers, is how much one unit of the vector moves it.
 *
 * @param multipliers [M], not all equal
 * @param propensity [N, M]
 * @param slopes [N], one per item
 * @param overall what the slopes come to; on a shared grid the mean slope is that of the mean curve
 * @param meanCurve [M], propensity averaged over items
 * @param deviationCurve [M], its population standard deviation over items
 * @param r2 how straight the mean curve is, 0 … 1; null where it is constant
 * @param spearman whether the mean curve only rises (1) or only falls (−1); null where it is
 *     constant
 * @param meanSlopeInterval where the mean slope would lie over other draws of items
 */
public record Steerability(
    double[] multipliers,
    double[][] propensity,
    double[] slopes,
    Slopes overall,
    double[] meanCurve,
    double[] deviationCurve,
    Double r2,
    Double spearman,
    Interval meanSlopeInterval) {
  /**
   * Computes it.
   *
   * @param multipliers [M], at least two different ones
   * @param propensity [N, M], N ≥ 1
   * @param seed of the bootstrap
   * @throws IllegalArgumentException if there is nothing to fit a line to
   */
  public static Steerability of(double[] multipliers, double[][] propensity, long seed) {
    if (multipliers.length < 2 || Moments.constant(multipliers)) {
      throw new IllegalArgumentException("a slope needs at least two different multipliers");
    }
    if (propensity.length == 0) {
      throw new IllegalArgumentException("a mean slope needs at least one item");
    }
    double[] slopes = slopes(multipliers, propensity);
    double[] mean = new double[multipliers.length];
    double[] deviation = new double[multipliers.length];
    for (int m = 0; m < multipliers.length; m++) {
      int column = m;
      double[] values = Arrays.stream(propensity).mapToDouble(row -> row[column]).toArray();
      mean[m] = Moments.mean(values);
      deviation[m] = Moments.deviation(values);
    }
    return new Steerability(
        multipliers,
        propensity,
        slopes,
        Slopes.of(slopes),
        mean,
        deviation,
        LinearFit.of(multipliers, mean).r2(),
        Spearman.of(multipliers, mean),
        Interval.ofMean(slopes, seed));
  }

  /**
   * The items' slopes alone.
   *
   * @param multipliers [M], not all equal
   * @param propensity [N, M]
   */
  static double[] slopes(double[] multipliers, double[][] propensity) {
    return Arrays.stream(propensity)
        .mapToDouble(row -> LinearFit.of(multipliers, row).slope())
        .toArray();
  }

  /** What the slopes of some of the items come to. */
  public Slopes among(int... items) {
    return Slopes.of(IntStream.of(items).mapToDouble(i -> slopes[i]).toArray());
  }
}
