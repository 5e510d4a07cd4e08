package io.lensflow.engine.lens;

import java.util.Collections;
import java.util.List;

/**
 * How a lens head spends memory and processors. The vocabulary is split into runs, one for each
 * device, or on the CPU one for each thread: what a run says about a row is merged exactly. Beside
 * the head, a run takes columnBlock·(D + rowBlock) float32 values of scratch, whatever the batch.
 *
 * @param rowBlock most rows that go through the head at once; the conversion of a block of the head
 *     is shared by them
 * @param columnBlock tokens of the vocabulary that go through it at once: row block × column block
 *     logits are all that ever exist, once per run
 * @param threads threads, and runs of the vocabulary, where {@code devices} is empty
 * @param devices where the runs are, such as {@code cuda:0}; empty for the CPU. {@code cpu:0} is
 *     the CPU treated like a device of its own, with all copies to and from it
 */
public record LensHeadOptions(int rowBlock, int columnBlock, int threads, List<String> devices) {
  private static final int DEFAULT_ROW_BLOCK = 1024;
  private static final int DEFAULT_COLUMN_BLOCK = 2048;
  private static final String HOST = "cpu";

  public LensHeadOptions {
    if (rowBlock < 1 || columnBlock < 1 || threads < 1) {
      throw new IllegalArgumentException(
          "rowBlock %d, columnBlock %d and threads %d must be at least 1"
              .formatted(rowBlock, columnBlock, threads));
    }
    devices = List.copyOf(devices);
  }

  /** On the CPU. */
  public LensHeadOptions(int rowBlock, int columnBlock, int threads) {
    this(rowBlock, columnBlock, threads, List.of());
  }

  /** 1,024 rows × 2,048 tokens, all processors. */
  public static LensHeadOptions defaults() {
    return new LensHeadOptions(
        DEFAULT_ROW_BLOCK, DEFAULT_COLUMN_BLOCK, Runtime.getRuntime().availableProcessors());
  }

  /** These options with another number of threads. */
  public LensHeadOptions withThreads(int other) {
    return new LensHeadOptions(rowBlock, columnBlock, other, devices);
  }

  /** These options with a run of the vocabulary on each of these devices. */
  public LensHeadOptions withDevices(List<String> other) {
    return new LensHeadOptions(rowBlock, columnBlock, threads, other);
  }

  /** The device of each run of the vocabulary. */
  List<String> runs() {
    return devices.isEmpty() ? Collections.nCopies(threads, HOST) : devices;
  }
}
