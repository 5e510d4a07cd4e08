package io.lensflow.engine.checkpoint;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * Reads tensors of a checkpoint, or parts of them, into native memory: where the file has the
 * wanted type, straight into the tensor's own bytes; else through a bounded buffer of the file's
 * type. Bytes outside the part are not read. An element that is NaN or infinite is an error that
 * names the tensor.
 *
 * <p>Not thread-safe.
 */
public final class TensorReader {
  /** What is converted at a time, so that a conversion never needs a second copy of a tensor. */
  private static final long CHUNK_BYTES = 64L << 20;

  private final Checkpoint checkpoint;
  private final TensorKernels tensors;
  private final LongConsumer progress;
  private long bytesRead;

  public TensorReader(Checkpoint checkpoint, TensorKernels tensors) {
    this(checkpoint, tensors, bytes -> {});
  }

  /**
   * @param progress told how many more bytes were read, every now and then
   */
  public TensorReader(Checkpoint checkpoint, TensorKernels tensors, LongConsumer progress) {
    this.checkpoint = checkpoint;
    this.tensors = tensors;
    this.progress = progress;
  }

  /**
   * A part of a stored tensor: some of its rows and, of a matrix, some of its columns.
   *
   * @param name the tensor's name
   * @param shape the whole tensor's shape, as the configuration has it: [rows] or [rows, columns]
   * @param firstRow the part's first row
   * @param rows how many
   * @param firstColumn the part's first column; 0 for a vector
   * @param columns how many; 1 for a vector
   */
  public record Part(
      String name, long[] shape, long firstRow, long rows, long firstColumn, long columns) {
    /** All of a tensor. */
    public static Part whole(String name, long... shape) {
      return rows(name, 0, shape[0], shape);
    }

    /** Whole rows of a tensor. */
    public static Part rows(String name, long first, long count, long... shape) {
      return new Part(name, shape, first, count, 0, shape.length == 1 ? 1 : shape[1]);
    }

    /** Whole columns of a matrix. */
    public static Part columns(String name, long first, long count, long... shape) {
      return new Part(name, shape, 0, shape[0], first, count);
    }
  }

  /** Bytes read from files so far. */
  public long bytesRead() {
    return bytesRead;
  }

  /**
   * Reads a whole tensor.
   *
   * @param dtype type of the result
   * @param shape the shape that the configuration asks for
   */
  public Tensor read(String name, DType dtype, long... shape) throws IOException {
    return read(dtype, Part.whole(name, shape));
  }

  /** Reads a part of a tensor; the result has its shape. */
  public Tensor read(DType dtype, Part part) throws IOException {
    // Before anything is allocated: a lying configuration must not cost memory.
    checkpoint.tensor(part.name(), part.shape());
    Tensor tensor =
        part.shape().length == 1
            ? tensors.empty(dtype, part.rows())
            : tensors.empty(dtype, part.rows(), part.columns());
    try {
      readInto(tensor, 0, dtype, part);
      return tensor;
    } catch (IOException | RuntimeException e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * Reads a part of a tensor into rows of another one, from its row {@code row} on.
   *
   * @param target contiguous, of type {@code dtype}, as wide as the part
   */
  public void readInto(Tensor target, long row, DType dtype, Part part) throws IOException {
    TensorInfo info = checkpoint.tensor(part.name(), part.shape());
    DType stored = checkpoint.storedType(part.name());
    long chunk = Math.max(1, CHUNK_BYTES / (part.columns() * stored.bytes()));
    for (long at = 0; at < part.rows(); at += chunk) {
      long rows = Math.min(chunk, part.rows() - at);
      try (Tensor slice = tensors.rows(target, row + at, rows)) {
        if (stored == dtype) {
          readRows(info, part, at, rows, stored, slice.bytes());
        } else {
          long[] shape =
              part.shape().length == 1 ? new long[] {rows} : new long[] {rows, part.columns()};
          try (Tensor raw = tensors.empty(stored, shape)) {
            readRows(info, part, at, rows, stored, raw.bytes());
            tensors.copy(slice, raw);
          }
        }
      }
    }
  }

  /** Fills {@code target} with rows of a part: at once, or segment by segment. */
  private void readRows(
      TensorInfo info, Part part, long from, long rows, DType stored, ByteBuffer target)
      throws IOException {
    long width = Arrays.stream(part.shape()).skip(1).reduce(1, Math::multiplyExact);
    long rowBytes = width * stored.bytes();
    long segmentBytes = part.columns() * stored.bytes();
    long offset = (part.firstRow() + from) * rowBytes + part.firstColumn() * stored.bytes();
    if (segmentBytes == rowBytes) {
      checkpoint.read(info, offset, target);
    } else {
      for (long i = 0; i < rows; i++) {
        checkpoint.read(
            info,
            offset + i * rowBytes,
            target.slice((int) (i * segmentBytes), (int) segmentBytes));
      }
    }
    bytesRead += rows * segmentBytes;
    progress.accept(rows * segmentBytes);
  }
}
