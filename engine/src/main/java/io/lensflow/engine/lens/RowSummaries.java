package io.lensflow.engine.lens;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * Joins the blocks of a few rows' logits to what a lens reports of each row: the k greatest over
 * the whole vocabulary, by falling logit and rising id, and the softmax's sums, in double
 * precision.
 */
final class RowSummaries {
  private static final int SUMS = 3;

  private final int n;
  private final int k;
  private final int[] ids;
  private final float[] logits;
  private final int[] sizes;

  /** Per row: the greatest logit so far M, Σ exp(z−M) and Σ exp(z−M)·(z−M). */
  private final double[] maxima;

  private final double[] totals;
  private final double[] weighted;

  RowSummaries(int n, int k) {
    this.n = n;
    this.k = k;
    this.ids = new int[n * k];
    this.logits = new float[n * k];
    this.sizes = new int[n];
    this.maxima = new double[n];
    this.totals = new double[n];
    this.weighted = new double[n];
    Arrays.fill(maxima, Double.NEGATIVE_INFINITY);
  }

  /**
   * Takes in a block.
   *
   * @param firstId the id of the block's first column
   * @param kept [n, width], the block's greatest logits
   * @param columns [n, width], where they stand
   * @param sums [n, 3], see {@code block} in {@code lens.py}
   */
  void add(int firstId, int width, FloatBuffer kept, LongBuffer columns, FloatBuffer sums) {
    for (int row = 0; row < n; row++) {
      for (int i = 0; i < width; i++) {
        int at = row * width + i;
        insert(row, kept.get(at), firstId + (int) columns.get(at));
      }
      double m = sums.get(SUMS * row);
      double total = sums.get(SUMS * row + 1);
      double weight = sums.get(SUMS * row + 2);
      double max = Math.max(maxima[row], m);
      shift(row, max);
      double scale = Math.exp(m - max);
      totals[row] += scale * total;
      weighted[row] += scale * (weight + (m - max) * total);
    }
  }

  /** Moves a row's sums to a new maximum. */
  private void shift(int row, double max) {
    double by = maxima[row] - max;
    if (by < 0 && totals[row] > 0) {
      double scale = Math.exp(by);
      weighted[row] = scale * (weighted[row] + by * totals[row]);
      totals[row] *= scale;
    }
    maxima[row] = max;
  }

  private void insert(int row, float logit, int id) {
    int start = row * k;
    int at = start + sizes[row];
    if (sizes[row] == k) {
      at--;
      if (!before(logit, id, at)) {
        return;
      }
    } else {
      sizes[row]++;
    }
    while (at > start && before(logit, id, at - 1)) {
      logits[at] = logits[at - 1];
      ids[at] = ids[at - 1];
      at--;
    }
    logits[at] = logit;
    ids[at] = id;
  }

  private boolean before(float logit, int id, int at) {
    return logit > logits[at] || (logit == logits[at] && id < ids[at]);
  }

  /** Writes the rows' results into the whole's arrays, from row {@code firstRow} on. */
  void writeTo(LensRows rows, int firstRow) {
    System.arraycopy(ids, 0, rows.topIds(), firstRow * k, n * k);
    System.arraycopy(logits, 0, rows.topLogits(), firstRow * k, n * k);
    for (int row = 0; row < n; row++) {
      double logTotal = Math.log(totals[row]);
      double logSumExp = maxima[row] + logTotal;
      rows.logSumExp()[firstRow + row] = (float) logSumExp;
      rows.entropy()[firstRow + row] = (float) Math.max(0, logTotal - weighted[row] / totals[row]);
      for (int i = 0; i < k; i++) {
        rows.topProbabilities()[(firstRow + row) * k + i] =
            (float) Math.exp(logits[row * k + i] - logSumExp);
      }
    }
  }
}
