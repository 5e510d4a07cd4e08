package io.lensflow.bench.classical;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes kept in native memory, one after the other in blocks: what is kept is what is resident, and
 * an allocator's holes are not counted against it.
 *
 * <p>Not thread-safe.
 */
final class KeptStates implements AutoCloseable {
  private static final int BLOCK_BYTES = 64 << 20;

  private final TensorKernels tensors;
  private final List<Tensor> blocks = new ArrayList<>();
  private ByteBuffer room = ByteBuffer.allocate(0);

  KeptStates(TensorKernels tensors) {
    this.tensors = tensors;
  }

  /** Copies the buffer's remaining bytes; the buffer is not moved. */
  void add(ByteBuffer bytes) {
    ByteBuffer rest = bytes.duplicate();
    while (rest.hasRemaining()) {
      if (!room.hasRemaining()) {
        Tensor block = tensors.empty(DType.FLOAT32, BLOCK_BYTES / Float.BYTES);
        blocks.add(block);
        room = block.bytes();
      }
      int count = Math.min(room.remaining(), rest.remaining());
      room.put(rest.slice(rest.position(), count));
      rest.position(rest.position() + count);
    }
  }

  @Override
  public void close() {
    blocks.forEach(Tensor::close);
  }
}
