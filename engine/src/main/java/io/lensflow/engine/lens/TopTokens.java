package io.lensflow.engine.lens;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;

/**
 * The k greatest logits of each of N rows so far, by falling logit and rising id.
 *
 * <p>A block of logits is not searched: of groups of its tokens the maxima are known, and only a
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

  /** What a logit must reach to be kept. */
  private final float[] least;

  private final float[] most;

  TopTokens(int n, int k) {
    this.n = n;
    this.k = k;
    this.ids = new int[Math.multiplyExact(n, k)];
    this.logits = new float[n * k];
    this.sizes = new int[n];
    this.least = new float[n];
    this.most = new float[n];
    Arrays.fill(least, Float.NEGATIVE_INFINITY);
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
   * Takes in a block of logits [c, N].
   *
   * @param firstId the id of its first token
   * @param group tokens in turn that share a maximum; divides c
   * @param maxima of the groups [c/group, N], float32
   * @param block its logits, bfloat16 if {@code brain}, else float32
   */
  void add(int firstId, int c, int group, ByteBuffer maxima, ByteBuffer block, boolean brain) {
    FloatBuffer wide = block.asFloatBuffer();
    ShortBuffer narrow = block.asShortBuffer();
    FloatBuffer lines = maxima.asFloatBuffer();
    for (int from = 0; from < c; from += group) {
      lines.get(from / group * n, most);
      for (int row = 0; row < n; row++) {
        // Equal to the least is enough for a lower id.
        if (most[row] >= least[row]) {
          for (int token = from; token < from + group; token++) {
            int at = token * n + row;
            float logit = brain ? Float.intBitsToFloat(narrow.get(at) << Short.SIZE) : wide.get(at);
            if (logit >= least[row]) {
              offer(row, logit, firstId + token);
            }
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
    if (sizes[row] == k) {
      least[row] = logits[start + k - 1];
    }
  }

  /** Whether a token would be kept. */
  private boolean keeps(int row, float logit, int id) {
    return sizes[row] < k || before(logit, id, row * k + k - 1);
  }

  private boolean before(float logit, int id, int at) {
    return logit > logits[at] || (logit == logits[at] && id < ids[at]);
  }
}
