package io.lensflow.engine;

/**
 * How an engine runs a checkpoint.
 *
 * @param dtype dtype of weights and activations; null takes the checkpoint's own ({@code FLOAT32}
 *     for a float16 checkpoint, whose values bfloat16 cannot hold)
 * @param kvTokens tokens whose keys and values the pool holds, over all sequences
 * @param threads threads that operators spread over, all ranks together
 * @param ranks R, tensor-parallel ranks
 * @param deterministic whether rows are bit-identical whatever runs beside them, for the same chunk
 *     boundaries and R: products then run at fixed shapes, prompt chunks one by one
 * @param stagingBytes most memory for rows on their way off the device; a step that captures more
 *     is run in parts
 */
public record EngineOptions(
    DType dtype, int kvTokens, int threads, int ranks, boolean deterministic, long stagingBytes) {
  private static final int DEFAULT_KV_TOKENS = 4096;
  private static final long DEFAULT_STAGING_BYTES = 256L << 20;

  public EngineOptions {
    if (dtype == DType.FLOAT16) {
      throw new IllegalArgumentException(
          "dtype float16 is not computed on the CPU; use float32 or bfloat16");
    }
    atLeastOne("kvTokens", kvTokens);
    atLeastOne("threads", threads);
    atLeastOne("ranks", ranks);
    atLeastOne("stagingBytes", stagingBytes);
  }

  /** One rank, not deterministic, 256 MiB of staging. */
  public EngineOptions(DType dtype, int kvTokens, int threads) {
    this(dtype, kvTokens, threads, 1, false, DEFAULT_STAGING_BYTES);
  }

  private static void atLeastOne(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + "; it must be at least 1");
    }
  }

  /** The checkpoint's dtype, a pool of 4,096 tokens, all processors, one rank. */
  public static EngineOptions defaults() {
    return new EngineOptions(null, DEFAULT_KV_TOKENS, Runtime.getRuntime().availableProcessors());
  }

  /** These options with another dtype; null takes the checkpoint's own. */
  public EngineOptions withDType(DType other) {
    return new EngineOptions(other, kvTokens, threads, ranks, deterministic, stagingBytes);
  }

  /** These options with another pool size. */
  public EngineOptions withKvTokens(int other) {
    return new EngineOptions(dtype, other, threads, ranks, deterministic, stagingBytes);
  }

  /** These options with another number of threads. */
  public EngineOptions withThreads(int other) {
    return new EngineOptions(dtype, kvTokens, other, ranks, deterministic, stagingBytes);
  }

  /** These options with another number of tensor-parallel ranks. */
  public EngineOptions withRanks(int other) {
    return new EngineOptions(dtype, kvTokens, threads, other, deterministic, stagingBytes);
  }

  /** These options with rows bit-identical whatever runs beside them, or not. */
  public EngineOptions withDeterministic(boolean other) {
    return new EngineOptions(dtype, kvTokens, threads, ranks, other, stagingBytes);
  }

  /** These options with another bound on staging memory. */
  public EngineOptions withStagingBytes(long other) {
    return new EngineOptions(dtype, kvTokens, threads, ranks, deterministic, other);
  }
}
