package io.lensflow.steering.evaluate;

import java.util.Arrays;

/** Divergences of distributions that are known in part. Stateless. */
final class Divergence {
  /** What single precision leaves of 1 minus a sum of probabilities. */
  private static final double ROUNDING = 1e-6;

  private Divergence() {}

  /**
   * KL(p ‖ q) in nats, ≥ 0.
   *
   * @param p [n] natural log-probabilities of the named outcomes
   * @param q [n] the same of the other distribution
   * @param whole whether these are all outcomes; otherwise the rest counts as one more
   */
  static double kl(double[] p, double[] q, boolean whole) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      double probability = Math.exp(p[i]);
      if (probability > 0) {
        sum += probability * (p[i] - q[i]);
      }
    }
    if (!whole) {
      double restP = 1 - mass(p);
      double restQ = Math.max(ROUNDING, 1 - mass(q));
      if (restP > ROUNDING) {
        sum += restP * Math.log(restP / restQ);
      }
    }
    return Math.max(0, sum);
  }

  /** The probability of the named outcomes together. */
  static double mass(double[] logProbabilities) {
    return Arrays.stream(logProbabilities).map(Math::exp).sum();
  }
}
