package io.lensflow.bench.lens;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Rows for a lens when it does not matter what they say. Stateless. */
public final class RandomRows {
  private static final long SEED = 7;

  private RandomRows() {}

  /** Float32 rows [n, D] of the standard normal distribution, little-endian. */
  public static ByteBuffer of(int n, int hiddenSize) {
    ByteBuffer values =
        ByteBuffer.allocate(n * hiddenSize * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(SEED);
    while (values.hasRemaining()) {
      values.putFloat((float) random.nextGaussian());
    }
    return values.flip();
  }
}
