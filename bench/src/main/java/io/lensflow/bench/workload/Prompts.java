package io.lensflow.bench.workload;

import java.util.Arrays;

/** Prompts of any length. What is timed does not depend on the ids. Stateless. */
public final class Prompts {
  private static final int STRIDE = 31;
  private static final int OFFSET = 11;
  private static final int SEED_STRIDE = 7;

  private Prompts() {}

  /**
   * Token ids.
   *
   * @param tokens how many
   * @param seed different ids for different seeds
   * @param vocabularySize V
   */
  public static int[] ids(int tokens, int seed, int vocabularySize) {
    int[] ids = new int[tokens];
    Arrays.setAll(ids, i -> (STRIDE * i + SEED_STRIDE * seed + OFFSET) % vocabularySize);
    return ids;
  }
}
