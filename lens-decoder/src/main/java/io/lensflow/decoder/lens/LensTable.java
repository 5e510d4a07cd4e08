package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import java.util.List;

/**
 * What one lens says about the N = layers × positions rows of a chunk, filled batch by batch. The
 * kernel thread fills it; the loop reads it after the last batch has come back, and that hand-over
 * is what makes the values visible. Only what was asked for has memory.
 */
public final class LensTable {
  private final int rows;
  private final int k;
  private final int targetsPerRow;
  private final List<Projection> projections;
  private final int[] topIds;
  private final float[] topLogits;
  private final float[] topProbabilities;
  private final int[] targetIds;
  private final float[] targetLogits;
  private final float[] targetLogProbabilities;
  private final int[] targetRanks;
  private final float[] entropy;
  private final float[] logSumExp;
  private final float[] kl;
  private final float[] js;

  /**
   * @param rows N
   * @param kept what is kept of each row
   * @param projections of these rows; they are there from the start
   */
  public LensTable(int rows, LensMetrics kept, List<Projection> projections) {
    this.rows = rows;
    this.k = kept.topK();
    this.targetsPerRow = kept.targetsPerRow();
    this.projections = List.copyOf(projections);
    topIds = new int[rows * k];
    topLogits = new float[rows * k];
    topProbabilities = new float[rows * k];
    targetIds = new int[rows * targetsPerRow];
    targetLogits = new float[rows * targetsPerRow];
    targetLogProbabilities = new float[rows * targetsPerRow];
    targetRanks = new int[rows * targetsPerRow];
    entropy = kept.entropy() ? new float[rows] : null;
    logSumExp = kept.logSumExp() ? new float[rows] : null;
    kl = kept.kl() ? new float[rows] : null;
    js = kept.js() ? new float[rows] : null;
  }

  /**
   * Takes over rows of a batch, of which more may have been asked: the first k of a longer list are
   * the same, and so are the first targets.
   *
   * @param to first row here
   * @param batch what the head gave
   * @param from first row there
   * @param count how many rows
   */
  public void fill(int to, LensRows batch, int from, int count) {
    int top = Math.min(k, batch.k());
    for (int row = 0; row < count && top > 0; row++) {
      int source = (from + row) * batch.k();
      int target = (to + row) * k;
      System.arraycopy(batch.topIds(), source, topIds, target, top);
      System.arraycopy(batch.topLogits(), source, topLogits, target, top);
      System.arraycopy(batch.topProbabilities(), source, topProbabilities, target, top);
    }
    for (int row = 0; row < count && targetsPerRow > 0; row++) {
      int source = (from + row) * batch.targets().perRow();
      int target = (to + row) * targetsPerRow;
      System.arraycopy(batch.targets().ids(), source, targetIds, target, targetsPerRow);
      System.arraycopy(batch.targets().logits(), source, targetLogits, target, targetsPerRow);
      System.arraycopy(
          batch.targets().logProbabilities(),
          source,
          targetLogProbabilities,
          target,
          targetsPerRow);
      System.arraycopy(batch.targets().ranks(), source, targetRanks, target, targetsPerRow);
    }
    copy(batch.entropy(), from, entropy, to, count);
    copy(batch.logSumExp(), from, logSumExp, to, count);
    copy(batch.kl(), from, kl, to, count);
    copy(batch.js(), from, js, to, count);
  }

  private static void copy(float[] source, int from, float[] target, int to, int count) {
    if (source != null && target != null) {
      System.arraycopy(source, from, target, to, count);
    }
  }

  /** N. */
  public int rows() {
    return rows;
  }

  /** Tokens kept per row. */
  public int k() {
    return k;
  }

  /** T, targets kept per row. */
  public int targetsPerRow() {
    return targetsPerRow;
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

  /** Id of a row's target, −1 where it has none. */
  public int targetId(int row, int target) {
    return targetIds[row * targetsPerRow + target];
  }

  /** Its logit. */
  public float targetLogit(int row, int target) {
    return targetLogits[row * targetsPerRow + target];
  }

  /** Its log-probability over the whole vocabulary. */
  public float targetLogProbability(int row, int target) {
    return targetLogProbabilities[row * targetsPerRow + target];
  }

  /** 1 + how many logits are strictly greater. */
  public int targetRank(int row, int target) {
    return targetRanks[row * targetsPerRow + target];
  }

  /** Entropy of a row, nats. */
  public float entropy(int row) {
    return entropy[row];
  }

  /** log Σ exp of a row's logits. */
  public float logSumExp(int row) {
    return logSumExp[row];
  }

  /** KL(model ‖ lens) of a row, nats. */
  public float kl(int row) {
    return kl[row];
  }

  /** Jensen–Shannon divergence of a row, nats. */
  public float js(int row) {
    return js[row];
  }

  /** One per vector, in the order asked. */
  public List<Projection> projections() {
    return projections;
  }

  /** Bytes that it keeps in memory. */
  public long bytes() {
    int perRow = 0;
    for (float[] column : new float[][] {entropy, logSumExp, kl, js}) {
      perRow += column == null ? 0 : Float.BYTES;
    }
    perRow += (3 * k + 4 * targetsPerRow + 2 * projections.size()) * Float.BYTES;
    return (long) rows * perRow;
  }

  /** First row with a value that is not finite: NaN or infinity came in; −1 if there is none. */
  public int firstNonFiniteRow() {
    for (int row = 0; row < rows; row++) {
      if (!isFinite(row)) {
        return row;
      }
    }
    return -1;
  }

  private boolean isFinite(int row) {
    boolean finite =
        isFinite(entropy, row)
            && isFinite(logSumExp, row)
            && isFinite(kl, row)
            && isFinite(js, row);
    finite &= k == 0 || Float.isFinite(topLogit(row, 0));
    for (int target = 0; target < targetsPerRow; target++) {
      finite &= targetId(row, target) < 0 || Float.isFinite(targetLogit(row, target));
    }
    return finite;
  }

  private static boolean isFinite(float[] column, int row) {
    return column == null || Float.isFinite(column[row]);
  }
}
