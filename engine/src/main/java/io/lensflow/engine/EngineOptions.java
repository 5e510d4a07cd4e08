package io.lensflow.engine;

import java.util.List;
import java.util.regex.Pattern;

/**
 * How an engine runs a checkpoint.
 *
 * @param dtype dtype of weights and activations; null takes the checkpoint's own ({@code FLOAT32}
 *     for a float16 checkpoint, whose values bfloat16 cannot hold)
 * @param kvTokens tokens whose keys and values the pool holds, over all sequences
 * @param threads threads that operators spread over, all ranks together
 * @param ranks R, tensor-parallel ranks
 * @param devices where the ranks are, R of them, such as {@code cuda:0}; empty for the CPU. {@code
 *     cpu:0} is the CPU treated like a device of its own, with all copies to and from it: what can
 *     be tried of a GPU's path without one
 * @param deterministic whether rows are bit-identical whatever runs beside them, for the same chunk
 *     boundaries and R: products then run at fixed shapes, prompt chunks one by one
 * @param stagingBytes most memory for rows on their way off the device, of which up to 2 GiB are
 *     used; a step that captures more is run in parts
 */
public record EngineOptions(
    DType dtype,
    int kvTokens,
    int threads,
    int ranks,
    List<String> devices,
    boolean deterministic,
    long stagingBytes) {
  private static final Pattern DEVICE = Pattern.compile("cpu|cpu:0|cuda:[0-9]{1,3}");
  private static final int DEFAULT_KV_TOKENS = 4096;
  private static final long DEFAULT_STAGING_BYTES = 256L << 20;

  public EngineOptions {
    if (dtype == DType.FLOAT16) {
      throw new IllegalArgumentException(
          "dtype float16 is not computed on the CPU; use float32 or bfloat16");
    }
    devices = List.copyOf(devices);
    for (String device : devices) {
      if (!DEVICE.matcher(device).matches()) {
        throw new IllegalArgumentException(
            "device '%s' is not known; use cpu, or cuda:0 and so on".formatted(device));
      }
    }
    if (!devices.isEmpty() && devices.size() != ranks) {
      throw new IllegalArgumentException(
          "%d devices for %d ranks; name one for each".formatted(devices.size(), ranks));
    }
    atLeastOne("kvTokens", kvTokens);
    atLeastOne("threads", threads);
    atLeastOne("ranks", ranks);
    atLeastOne("stagingBytes", stagingBytes);
  }

  /** One rank, not deterministic, 256 MiB of staging. */
  public EngineOptions(DType dtype, int kvTokens, int threads) {
    this(dtype, kvTokens, threads, 1, List.of(), false, DEFAULT_STAGING_BYTES);
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
    return new EngineOptions(other, kvTokens, threads, ranks, devices, deterministic, stagingBytes);
  }

  /** These options with another pool size. */
  public EngineOptions withKvTokens(int other) {
    return new EngineOptions(dtype, other, threads, ranks, devices, deterministic, stagingBytes);
  }

  /** These options with another number of threads. */
  public EngineOptions withThreads(int other) {
    return new EngineOptions(dtype, kvTokens, other, ranks, devices, deterministic, stagingBytes);
  }

  /** These options with another number of tensor-parallel ranks, on the CPU. */
  public EngineOptions withRanks(int other) {
    return new EngineOptions(
        dtype, kvTokens, threads, other, List.of(), deterministic, stagingBytes);
  }

  /** These options with one rank on each of these devices. */
  public EngineOptions withDevices(List<String> other) {
    return new EngineOptions(
        dtype, kvTokens, threads, other.size(), other, deterministic, stagingBytes);
  }

  /** Where a rank is. */
  public String device(int rank) {
    return devices.isEmpty() ? "cpu" : devices.get(rank);
  }

  /** These options with rows bit-identical whatever runs beside them, or not. */
  public EngineOptions withDeterministic(boolean other) {
    return new EngineOptions(dtype, kvTokens, threads, ranks, devices, other, stagingBytes);
  }

  /** These options with another bound on staging memory. */
  public EngineOptions withStagingBytes(long other) {
    return new EngineOptions(dtype, kvTokens, threads, ranks, devices, deterministic, other);
  }
}
