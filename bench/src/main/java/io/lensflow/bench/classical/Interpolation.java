package io.lensflow.bench.classical;

/** Sums of a function known at a few integers. Stateless. */
final class Interpolation {
  private Interpolation() {}

  /**
   * The sum over every integer from the first point to the last, both included, of the line through
   * the points.
   *
   * @param points ascending, at least two
   * @param values the function there
   */
  static double sum(int[] points, double[] values) {
    double sum = values[0];
    for (int i = 1; i < points.length; i++) {
      int width = points[i] - points[i - 1];
      double slope = (values[i] - values[i - 1]) / width;
      for (int step = 1; step <= width; step++) {
        sum += values[i - 1] + slope * step;
      }
    }
    return sum;
  }
}
