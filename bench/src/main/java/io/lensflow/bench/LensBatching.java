package io.lensflow.bench;

import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensHead;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/**
 * Why the lens is deferred: rows per second of one call with {@code rows} rows ÷ rows per second of
 * one call per row, top 5, entropy and logSumExp included.
 */
final class LensBatching {
  private static final int TOP_K = 5;

  private final LensHead head;
  private final int rows;

  LensBatching(LensHead head, int rows) {
    this.head = head;
    this.rows = rows;
  }

  Figure measure(Comparison comparison) throws Exception {
    int hiddenSize = head.config().hiddenSize();
    ByteBuffer values =
        ByteBuffer.allocate(rows * hiddenSize * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(7);
    while (values.hasRemaining()) {
      values.putFloat((float) random.nextGaussian());
    }
    values.flip();
    return Figure.ofSamples(
        "lens-batch-speedup-" + rows,
        "ratio",
        comparison.speedShare(
            () -> head.decode(values, DType.FLOAT32, rows, TOP_K),
            () -> {
              for (int row = 0; row < rows; row++) {
                int bytes = hiddenSize * Float.BYTES;
                head.decode(values.slice(row * bytes, bytes), DType.FLOAT32, 1, TOP_K);
              }
            }));
  }
}
