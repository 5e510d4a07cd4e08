package io.lensflow.bench.figure;

import java.util.Arrays;
import java.util.Collection;

/**
 * Percentiles of samples by nearest rank: always one of the samples, none in between. Immutable.
 */
public final class Percentiles {
  private final double[] sorted;

  private Percentiles(double[] sorted) {
    this.sorted = sorted;
  }

  /** Sorts the samples, once; infinite ones are allowed. */
  public static Percentiles of(double[] samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return new Percentiles(sorted);
  }

  /** Likewise. */
  public static Percentiles of(Collection<Double> samples) {
    return of(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /**
   * The smallest sample that at least a share of all samples does not exceed: number ⌈share·n⌉ of n
   * by size.
   *
   * @param share above 0, at most 1
   * @return NaN where there are no samples
   */
  public double at(double share) {
    if (!(share > 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "share is " + share + "; it must be above 0 and at most 1");
    }
    int rank = (int) Math.ceil(share * sorted.length);
    return sorted.length == 0 ? Double.NaN : sorted[rank - 1];
  }
}
