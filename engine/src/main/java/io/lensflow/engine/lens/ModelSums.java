package io.lensflow.engine.lens;

import java.nio.FloatBuffer;

/**
 * What the model itself says at M final rows, over any part of the vocabulary: log Σ exp z, and Σ
 * p·w, the mean of the head's rows under its distribution. Since a logit is a product with a row of
 * the head, KL(p‖q) = (x_p − x_q)·Σ p·w − log Σ exp z_p + log Σ exp z_q, for any q: the lens's
 * logits need not be weighed with p one by one.
 *
 * <p>Not thread-safe.
 */
final class ModelSums {
  private final int m;
  private final int d;
  private final double[] references;
  private final double[] totals;
  private final double[] means;

  private ModelSums(int m, int d) {
    this.m = m;
    this.d = d;
    this.references = new double[m];
    this.totals = new double[m];
    this.means = new double[m * d];
  }

  /** Of one part: [M, 2] and [M, D], see {@code model_block} in {@code lens.py}. */
  static ModelSums of(int m, int d, FloatBuffer state, FloatBuffer mean) {
    ModelSums sums = new ModelSums(m, d);
    for (int row = 0; row < m; row++) {
      sums.references[row] = state.get(2 * row);
      sums.totals[row] = state.get(2 * row + 1);
    }
    for (int i = 0; i < m * d; i++) {
      sums.means[i] = mean.get(i);
    }
    return sums;
  }

  /** Takes in another part of the same rows. */
  void add(ModelSums part) {
    for (int row = 0; row < m; row++) {
      double max = Math.max(references[row], part.references[row]);
      double own = Math.exp(references[row] - max);
      double other = Math.exp(part.references[row] - max);
      totals[row] = own * totals[row] + other * part.totals[row];
      for (int at = row * d; at < (row + 1) * d; at++) {
        means[at] = own * means[at] + other * part.means[at];
      }
      references[row] = max;
    }
  }

  double logSumExp(int row) {
    return references[row] + Math.log(totals[row]);
  }

  /**
   * Σ p·z of what a head says at the row x [D], p being the model's distribution at {@code row}.
   */
  double expectedLogit(int row, FloatBuffer x, int from) {
    double sum = 0;
    for (int i = 0; i < d; i++) {
      sum += x.get(from + i) * means[row * d + i];
    }
    return sum / totals[row];
  }
}
