package io.lensflow.engine.generation;

/**
 * The ids of a row of logits by falling logit and rising id, sorted only as far as they are asked
 * for: of a vocabulary of 128,000, a draw looks at a few dozen as a rule, and sorting all of it
 * takes longer than a small model's step.
 *
 * <p>A heap in an array whose end takes what has left it, as in heapsort. Logits are compared as
 * integers that keep their order, with the id in the low half: no comparator, no boxing.
 *
 * <p>Not thread-safe.
 */
final class RankedTokens {
  /** First a heap of the ids that remain, its least key in front; then those ranked, last first. */
  private final long[] keys;

  private int remaining;

  /**
   * @param logits [V], not changed
   */
  RankedTokens(float[] logits) {
    keys = new long[logits.length];
    for (int id = 0; id < keys.length; id++) {
      // Adding 0 makes the two zeros one.
      int bits = Float.floatToIntBits(logits[id] + 0f);
      int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
      keys[id] = ((long) ~ascending << 32) | id;
    }
    remaining = keys.length;
    for (int i = remaining / 2 - 1; i >= 0; i--) {
      sink(i, keys[i]);
    }
  }

  /** V. */
  int size() {
    return keys.length;
  }

  /** The id at a rank, 0 … V−1. */
  int id(int rank) {
    while (keys.length - remaining <= rank) {
      long least = keys[0];
      remaining--;
      long last = keys[remaining];
      sink(0, last);
      keys[remaining] = least;
    }
    return (int) keys[keys.length - 1 - rank];
  }

  /** Puts a key where it belongs in the heap below a place. */
  private void sink(int place, long key) {
    int at = place;
    for (int child = 2 * at + 1; child < remaining; child = 2 * at + 1) {
      if (child + 1 < remaining && keys[child + 1] < keys[child]) {
        child++;
      }
      if (keys[child] >= key) {
        break;
      }
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = key;
  }
}
