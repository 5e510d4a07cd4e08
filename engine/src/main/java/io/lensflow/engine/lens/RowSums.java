package io.lensflow.engine.lens;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The softmax's sums of N rows over any part of the vocabulary, in double precision: a reference M,
 * Σ exp(z−M) and Σ exp(z−M)·(z−M). Parts merge exactly but for rounding. NaN stays NaN.
 *
 * <p>Not thread-safe.
 */
final class RowSums {
  /** Sums of plain exponentials in float32 that are outside have lost digits, or all. */
  private static final float GREATEST = 1e30f;

  private static final float LEAST = 1e-25f;

  private final double[] references;
  private final double[] totals;
  private final double[] weighted;

  RowSums(int n) {
    references = new double[n];
    totals = new double[n];
    weighted = new double[n];
    Arrays.fill(references, Double.NEGATIVE_INFINITY);
  }

  /** N. */
  int rows() {
    return totals.length;
  }

  /** Whether a block's plain sums [2, N], see {@code block} in {@code lens.py}, are of use. */
  boolean inRange(FloatBuffer sums) {
    for (int row = 0; row < totals.length; row++) {
      float total = sums.get(row);
      if (total > GREATEST || total < LEAST) {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes in a block.
   *
   * @param sums [2, N], see {@code block} in {@code lens.py}
   * @param tops [N], what was subtracted from the logits; null for nothing
   */
  void add(FloatBuffer sums, FloatBuffer tops) {
    for (int row = 0; row < totals.length; row++) {
      double reference = tops == null ? 0 : tops.get(row);
      add(row, reference, sums.get(row), sums.get(totals.length + row));
    }
  }

  /** Takes in another part of the same rows. */
  void add(RowSums part) {
    for (int row = 0; row < totals.length; row++) {
      add(row, part.references[row], part.totals[row], part.weighted[row]);
    }
  }

  private void add(int row, double reference, double total, double weight) {
    if (reference == references[row]) {
      totals[row] += total;
      weighted[row] += weight;
      return;
    }
    double max = Math.max(references[row], reference);
    double own = references[row] - max;
    if (own < 0 && totals[row] > 0) {
      double scale = Math.exp(own);
      weighted[row] = scale * (weighted[row] + own * totals[row]);
      totals[row] *= scale;
    }
    references[row] = max;
    double by = reference - max;
    double scale = Math.exp(by);
    totals[row] += scale * total;
    weighted[row] += scale * (weight + by * total);
  }

  /** Puts a logit in the place of another one that it was taken for. */
  void replace(int row, double approximate, double exact) {
    double was = approximate - references[row];
    double is = exact - references[row];
    double expWas = Math.exp(was);
    double expIs = Math.exp(is);
    totals[row] += expIs - expWas;
    weighted[row] += expIs * is - expWas * was;
  }

  /** log Σ exp z. */
  double logSumExp(int row) {
    return references[row] + Math.log(totals[row]);
  }

  /** In nats, at least 0. */
  double entropy(int row) {
    return Math.max(0, Math.log(totals[row]) - weighted[row] / totals[row]);
  }
}
