package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensRows;

/**
 * What one lens says about the N = layers × positions rows of a chunk, filled batch by batch. The
 * kernel thread fills it; the loop reads it after the last batch has come back, and that hand-over
 * is what makes the values visible.
 */
public final class LensTable {
  private final int k;
  private final int[] topIds;
  private final float[] topLogits;
  private final float[] topProbabilities;
  private final float[] entropy;
  private final float[] logSumExp;

  /**
   * @param rows N
   * @param k tokens kept per row, at least 1
   */
  public LensTable(int rows, int k) {
    this.k = k;
    topIds = new int[rows * k];
    topLogits = new float[rows * k];
    topProbabilities = new float[rows * k];
    entropy = new float[rows];
    logSumExp = new float[rows];
  }

  /**
   * Takes over rows of a batch, whose k may be larger: the first k of a longer list are the same.
   *
   * @param to first row here
   * @param batch what the head gave
   * @param from first row there
   * @param count how many rows
   */
  public void fill(int to, LensRows batch, int from, int count) {
    for (int row = 0; row < count; row++) {
      int source = (from + row) * batch.k();
      int target = (to + row) * k;
      System.arraycopy(batch.topIds(), source, topIds, target, k);
      System.arraycopy(batch.topLogits(), source, topLogits, target, k);
      System.arraycopy(batch.topProbabilities(), source, topProbabilities, target, k);
    }
    System.arraycopy(batch.entropy(), from, entropy, to, count);
    System.arraycopy(batch.logSumExp(), from, logSumExp, to, count);
  }

  /** N. */
  public int rows() {
    return entropy.length;
  }

  /** Tokens kept per row. */
  public int k() {
    return k;
  }

  /** Id of the token at a rank (0 is the top) of a row. */
  public int topId(int row, int rank) {
    return topIds[row * k + rank];
  }

  /** Its logit. */
  public float topLogit(int row, int rank) {
    return topLogits[row * k + rank];
  }

  /** Its probability over the whole vocabulary. */
  public float topProbability(int row, int rank) {
    return topProbabilities[row * k + rank];
  }

  /** Entropy of a row, nats. */
  public float entropy(int row) {
    return entropy[row];
  }

  /** log Σ exp of a row's logits. */
  public float logSumExp(int row) {
    return logSumExp[row];
  }

  /** First row whose log Σ exp is not finite: NaN or infinity came in; −1 if there is none. */
  public int firstNonFiniteRow() {
    for (int row = 0; row < logSumExp.length; row++) {
      if (!Float.isFinite(logSumExp[row])) {
        return row;
      }
    }
    return -1;
  }
}
