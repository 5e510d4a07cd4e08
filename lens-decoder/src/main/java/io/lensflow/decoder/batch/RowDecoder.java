package io.lensflow.decoder.batch;

import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.model.ModelConfig;
import java.nio.ByteBuffer;

/**
 * Final norm, LM head and reductions over a batch of rows. Not thread-safe: made, used and closed
 * by the kernel thread.
 */
public interface RowDecoder extends AutoCloseable {
  /** Shape of the checkpoint. */
  ModelConfig config();

  /** Revision of the checkpoint. */
  String revision();

  /**
   * Decodes a batch.
   *
   * @param rows direct, little-endian, [N, D] from its position to its limit
   * @param dtype element type of the rows
   * @param n N
   * @param k tokens to report per row, 1 … V
   */
  LensRows decode(ByteBuffer rows, DType dtype, int n, int k);

  @Override
  void close();
}
