package io.lensflow.engine.lens;

/**
 * How a lens head spends memory and processors.
 *
 * @param rowBlock most rows that go through the head at once
 * @param columnBlock tokens of the vocabulary that go through it at once: row block × column block
 *     logits are all that ever exist, and should fit the cache
 * @param threads threads that one operator spreads over
 */
public record LensHeadOptions(int rowBlock, int columnBlock, int threads) {
  private static final int DEFAULT_ROW_BLOCK = 512;
  private static final int DEFAULT_COLUMN_BLOCK = 2048;

  public LensHeadOptions {
    if (rowBlock < 1 || columnBlock < 1 || threads < 1) {
      throw new IllegalArgumentException(
          "rowBlock %d, columnBlock %d and threads %d must be at least 1"
              .formatted(rowBlock, columnBlock, threads));
    }
  }

  /** 512 rows × 2,048 tokens, all processors. */
  public static LensHeadOptions defaults() {
    return new LensHeadOptions(
        DEFAULT_ROW_BLOCK, DEFAULT_COLUMN_BLOCK, Runtime.getRuntime().availableProcessors());
  }
}
