package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;

/**
 * Where one rank sets the rows of one hook point aside: [rows, slots, columns], a slot for each
 * layer. On a CUDA device there is the block itself and its copy in pinned memory of the host,
 * fetched at once after the last layer; on the CPU the two are one.
 *
 * <p>Not thread-safe.
 */
final class StagingBlock implements AutoCloseable {
  private final TensorKernels tensors;
  private final int slots;
  private final int rows;
  private final int columns;
  private final Tensor device;
  private final Tensor host;
  private final Tensor[] views;
  private final ByteBuffer bytes;
  private final int elementBytes;

  StagingBlock(TensorKernels tensors, int slots, int rows, int columns, DType dtype) {
    this.tensors = tensors;
    this.slots = slots;
    this.rows = rows;
    this.columns = columns;
    this.elementBytes = dtype.bytes();
    this.device = tensors.emptyOnDevice(dtype, rows, slots, columns);
    this.host = tensors.onHost() ? device : hostCopy(dtype);
    this.bytes = host.bytes();
    this.views = new Tensor[slots];
    for (int slot = 0; slot < slots; slot++) {
      views[slot] = tensors.column(device, slot);
    }
  }

  private Tensor hostCopy(DType dtype) {
    try {
      return tensors.emptyForCopies(dtype, rows, slots, columns);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  int slots() {
    return slots;
  }

  int rows() {
    return rows;
  }

  /** A slot's stage [rows, columns], on the device. */
  Tensor view(int slot) {
    return views[slot];
  }

  /** Starts the one copy of a pass's first n rows to the host. */
  void fetch(int n) {
    if (host != device) {
      try (Tensor from = tensors.rows(device, 0, n);
          Tensor to = tensors.rows(host, 0, n)) {
        tensors.copyLater(to, from);
      }
    }
  }

  /**
   * Copies this rank's columns of a row in neighbouring slots, after they have arrived on the host.
   */
  void read(int slot, int count, int row, ByteBuffer target, int at) {
    int length = columns * elementBytes;
    target.put(at, bytes, (row * slots + slot) * length, count * length);
  }

  @Override
  public void close() {
    for (Tensor view : views) {
      view.close();
    }
    device.close();
    host.close();
  }
}
