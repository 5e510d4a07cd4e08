package io.lensflow.engine.generation;

/**
 * The counter-based generator Philox4x32-10 (Salmon et al., 2011): a draw depends on key and
 * counter alone, so that it can be repeated at any position without a history.
 */
final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long MASK = 0xFFFF_FFFFL;

  private Philox() {}

  /** The four words of one counter, given as its four words, under a key of two. */
  static int[] words(int c0, int c1, int c2, int c3, int k0, int k1) {
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * (c0 & MASK);
      long product1 = MULTIPLIER_1 * (c2 & MASK);
      int next0 = (int) (product1 >>> 32) ^ c1 ^ k0;
      int next2 = (int) (product0 >>> 32) ^ c3 ^ k1;
      c1 = (int) product1;
      c3 = (int) product0;
      c0 = next0;
      c2 = next2;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return new int[] {c0, c1, c2, c3};
  }

  /** A number of [0, 1) with 24 bits, from the first word of counter {@code position}. */
  static float uniform(long seed, long position) {
    int word =
        words((int) position, (int) (position >>> 32), 0, 0, (int) seed, (int) (seed >>> 32))[0];
    return (word >>> 8) * 0x1p-24f;
  }
}
