package io.lensflow.bench.limit;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;

/**
 * The read bandwidth of memory: float32 numbers are summed over a buffer as large as a model's
 * weights, by as many threads as the engine uses.
 *
 * <p>Not thread-safe; used by one thread.
 */
public final class MemoryReading implements AutoCloseable {
  private final KernelModule kernels = new KernelModule(MemoryReading.class, "limits.py");
  private final Tensor buffer;
  private final long bytes;
  private final int threads;

  /** A buffer of {@code bytes} bytes, filled. */
  public MemoryReading(long bytes, int threads) {
    this.threads = threads;
    this.bytes = bytes / Float.BYTES * Float.BYTES;
    KernelThread.useThreads(threads);
    try (Argument shape = Argument.of(bytes / Float.BYTES)) {
      buffer = kernels.tensor("ones", shape, DType.FLOAT32.scalarType());
    }
  }

  /** What {@link #run} reads. */
  public long bytes() {
    return bytes;
  }

  /** Reads the buffer once. */
  public void run() {
    KernelThread.useThreads(threads);
    kernels.tensor("sum", buffer).close();
  }

  @Override
  public void close() {
    buffer.close();
    kernels.close();
  }
}
