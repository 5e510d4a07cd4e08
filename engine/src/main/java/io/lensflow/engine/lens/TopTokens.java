package io.lensflow.engine.lens;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/**
 * The k greatest logits of each of N rows so far, by falling logit and rising id.
 *
 * <p>A block of logits is not searched: of groups of its columns the maxima are known, and only a
 * group whose maximum would be kept is looked into. While a row passes by, that becomes rare: some
 * k·ln(groups/k) of its groups.
 *
 * <p>Not thread-safe.
 */
final class TopTokens {
  private final int n;
  private final int k;
  private final int[] ids;
  private final float[] logits;
  private final int[] sizes;

  TopTokens(int n, int k) {
    this.n = n;
    this.k = k;
    this.ids = new int[Math.multiplyExact(n, k)];
    this.logits = new float[n * k];
    this.sizes = new int[n];
  }

  int k() {
    return k;
  }

  /** [N, k], as ordered as the logits. */
  int[] ids() {
    return ids;
  }

  /** How many other tokens than {@code id} have a strictly greater logit, of those kept. */
  int greaterThan(int row, float logit, int id) {
    int greater = 0;
    for (int at = row * k; at < row * k + sizes[row]; at++) {
      if (logits[at] > logit && ids[at] != id) {
        greater++;
      }
    }
    return greater;
  }

  int id(int row, int rank) {
    return ids[row * k + rank];
  }

  float logit(int row, int rank) {
    return logits[row * k + rank];
  }

  /** Takes in what was kept of another part of the vocabulary. */
  void add(TopTokens part) {
    for (int row = 0; row < n; row++) {
      for (int rank = 0; rank < part.sizes[row]; rank++) {
        offer(row, part.logit(row, rank), part.id(row, rank));
      }
    }
  }

  /** Takes in chosen columns of a block: [n, width]. */
  void add(int firstId, int width, FloatBuffer kept, LongBuffer columns) {
    for (int at = 0; at < n * width; at++) {
      offer(at / width, kept.get(at), firstId + (int) columns.get(at));
    }
  }

  /**
   * Takes in a block of logits [n, c].
   *
   * @param firstId the id of its first column
   * @param groups g: column i belongs to the group i mod g
   * @param maxima of the groups [n, g], float32
   * @param block its logits, bfloat16 if {@code brain}, else float32
   */
  void add(int firstId, int c, int groups, ByteBuffer maxima, ByteBuffer block, boolean brain) {
    FloatBuffer most = maxima.asFloatBuffer();
    FloatBuffer wide = block.asFloatBuffer();
    ShortBuffer narrow = block.asShortBuffer();
    float[] row = new float[groups];
    for (int i = 0; i < n; i++) {
      most.get(i * groups, row);
      for (int group = 0; group < groups; group++) {
        if (keeps(i, row[group], firstId + group)) {
          for (int column = group; column < c; column += groups) {
            int at = i * c + column;
            float logit = brain ? Float.intBitsToFloat(narrow.get(at) << Short.SIZE) : wide.get(at);
            offer(i, logit, firstId + column);
          }
        }
      }
    }
  }

  void offer(int row, float logit, int id) {
    if (!keeps(row, logit, id)) {
      return;
    }
    int start = row * k;
    int at = start + Math.min(sizes[row], k - 1);
    sizes[row] = at - start + 1;
    while (at > start && before(logit, id, at - 1)) {
      logits[at] = logits[at - 1];
      ids[at] = ids[at - 1];
      at--;
    }
    logits[at] = logit;
    ids[at] = id;
  }

  /** Whether a token would be kept. */
  private boolean keeps(int row, float logit, int id) {
    return sizes[row] < k || before(logit, id, row * k + k - 1);
  }

  private boolean before(float logit, int id, int at) {
    return logit > logits[at] || (logit == logits[at] && id < ids[at]);
  }
}
