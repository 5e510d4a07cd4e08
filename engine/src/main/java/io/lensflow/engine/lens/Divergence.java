package io.lensflow.engine.lens;

import java.nio.FloatBuffer;

/**
 * How far the lens's distribution q of n rows is from the model's own p, in nats. Not thread-safe.
 */
final class Divergence {
  private static final double LN_2 = Math.log(2);

  private final RowChunk rows;
  private final RowSums lens;
  private final ModelSums model;

  /** Σ p·z of the lens's logits, [n], and of the model's, [M]. */
  private final double[] expected;

  private final double[] finalExpected;

  /**
   * @param lens the rows' sums over the whole vocabulary
   * @param model the same of the final rows
   * @param x [n, D] and {@code finals} [M, D], normed, on the host
   */
  Divergence(RowChunk rows, RowSums lens, ModelSums model, FloatBuffer x, FloatBuffer finals) {
    this.rows = rows;
    this.lens = lens;
    this.model = model;
    int d = x.remaining() / rows.n();
    expected = new double[rows.n()];
    for (int row = 0; row < expected.length; row++) {
      expected[row] = model.expectedLogit(rows.finalOf()[row], x, row * d);
    }
    finalExpected = new double[rows.finalCount()];
    for (int row = 0; row < finalExpected.length; row++) {
      finalExpected[row] = model.expectedLogit(row, finals, row * d);
    }
  }

  /** KL(p ‖ q) = Σ p·(z_p − z_q) − log Σ exp z_p + log Σ exp z_q. */
  double kl(int row) {
    int of = rows.finalOf()[row];
    double kl = finalExpected[of] - expected[row] - model.logSumExp(of) + lens.logSumExp(row);
    return Math.max(0, kl);
  }

  /**
   * JS(p, q) = H((p+q)/2) − (H(p) + H(q))/2.
   *
   * @param mixture Σ (p+q)·ln(p+q)
   */
  double js(int row, double mixture) {
    int of = rows.finalOf()[row];
    double modelEntropy = model.logSumExp(of) - finalExpected[of];
    double js = LN_2 - mixture / 2 - (modelEntropy + lens.entropy(row)) / 2;
    return Math.max(0, Math.min(LN_2, js));
  }

  /** [n], of the lens. */
  float[] logSumExps() {
    float[] values = new float[rows.n()];
    for (int row = 0; row < values.length; row++) {
      values[row] = (float) lens.logSumExp(row);
    }
    return values;
  }

  /** [M], of the model. */
  float[] finalLogSumExps() {
    float[] values = new float[rows.finalCount()];
    for (int row = 0; row < values.length; row++) {
      values[row] = (float) model.logSumExp(row);
    }
    return values;
  }
}
