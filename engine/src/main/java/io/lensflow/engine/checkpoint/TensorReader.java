package io.lensflow.engine.checkpoint;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.util.Arrays;

/**
 * Reads tensors of a checkpoint into native memory: where the file has the wanted type, straight
 * into the tensor's own bytes; else through a bounded buffer of the file's type. An element that is
 * NaN or infinite is an error that names the tensor.
 *
 * <p>Not thread-safe.
 */
public final class TensorReader {
  /** What is converted at a time, so that a conversion never needs a second copy of a tensor. */
  private static final long CHUNK_BYTES = 64L << 20;

  private final Checkpoint checkpoint;
  private final TensorKernels tensors;

  public TensorReader(Checkpoint checkpoint, TensorKernels tensors) {
    this.checkpoint = checkpoint;
    this.tensors = tensors;
  }

  /**
   * Reads a whole tensor.
   *
   * @param dtype type of the result
   * @param shape the shape that the configuration asks for
   */
  public Tensor read(String name, DType dtype, long... shape) throws IOException {
    // Before anything is allocated: a lying configuration must not cost memory.
    checkpoint.tensor(name, shape);
    Tensor tensor = tensors.empty(dtype, shape);
    try {
      readInto(tensor, 0, name, dtype, shape);
      return tensor;
    } catch (IOException | RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * Reads a whole tensor into rows of a larger one, from its row {@code row} on.
   *
   * @param target contiguous, of type {@code dtype}, as wide as the tensor
   */
  public void readInto(Tensor target, long row, String name, DType dtype, long... shape)
      throws IOException {
    TensorInfo info = checkpoint.tensor(name, shape);
    DType stored = checkpoint.storedType(name);
    long rowBytes = info.byteCount() / shape[0];
    long chunk = Math.max(1, CHUNK_BYTES / rowBytes);
    for (long at = 0; at < shape[0]; at += chunk) {
      long rows = Math.min(chunk, shape[0] - at);
      try (Tensor slice = tensors.rows(target, row + at, rows)) {
        if (stored == dtype) {
          checkpoint.read(info, at * rowBytes, slice.bytes());
        } else {
          long[] part = Arrays.copyOf(shape, shape.length);
          part[0] = rows;
          try (Tensor raw = tensors.empty(stored, part)) {
            checkpoint.read(info, at * rowBytes, raw.bytes());
            tensors.copy(slice, raw);
          }
        }
      }
    }
  }
}
