package io.lensflow.steering.evaluate;

/**
 * A line fitted by least squares: y ≈ intercept + slope · x.
 *
 * @param slope change of y per unit of x
 * @param intercept y at x = 0
 * @param r2 share of y's variance that the line explains, 0 … 1; null where y is constant
 */
record LinearFit(double slope, double intercept, Double r2) {
  /**
   * Fits.
   *
   * @param x [n], not all equal
   * @param y [n]
   */
  static LinearFit of(double[] x, double[] y) {
    double meanX = Moments.mean(x);
    double meanY = Moments.mean(y);
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += (x[i] - meanX) * (x[i] - meanX);
      xy += (x[i] - meanX) * (y[i] - meanY);
      yy += (y[i] - meanY) * (y[i] - meanY);
    }
    double slope = xy / xx;
    return new LinearFit(
        slope, meanY - slope * meanX, Moments.constant(y) ? null : xy * xy / (xx * yy));
  }
}
