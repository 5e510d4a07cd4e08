package io.lensflow.engine;

/**
 * How an engine runs a checkpoint.
 *
 * @param dtype dtype of weights and activations; null takes the checkpoint's own ({@code FLOAT32}
 *     for a float16 checkpoint, whose values bfloat16 cannot hold)
 * @param kvTokens tokens whose keys and values the pool holds, over all sequences
 * @param threads threads that one operator spreads over
 */
public record EngineOptions(DType dtype, int kvTokens, int threads) {
  private static final int DEFAULT_KV_TOKENS = 4096;

  public EngineOptions {
    if (dtype == DType.FLOAT16) {
      throw new IllegalArgumentException(
          "dtype float16 is not computed on the CPU; use float32 or bfloat16");
    }
    if (kvTokens < 1) {
      throw new IllegalArgumentException("kvTokens is " + kvTokens + "; it must be at least 1");
    }
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + "; it must be at least 1");
    }
  }

  /** The checkpoint's dtype, a pool of 4,096 tokens, all processors. */
  public static EngineOptions defaults() {
    return new EngineOptions(null, DEFAULT_KV_TOKENS, Runtime.getRuntime().availableProcessors());
  }

  /** These options with another dtype; null takes the checkpoint's own. */
  public EngineOptions withDType(DType other) {
    return new EngineOptions(other, kvTokens, threads);
  }

  /** These options with another pool size. */
  public EngineOptions withKvTokens(int other) {
    return new EngineOptions(dtype, other, threads);
  }
}
