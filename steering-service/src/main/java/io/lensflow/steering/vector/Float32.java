package io.lensflow.steering.vector;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Vectors as bytes: D float32 values, little-endian, with their CRC-32C and norm. */
public final class Float32 {
  private Float32() {}

  /** Encodes {@code values} [D] as 4·D bytes. */
  public static ByteBuffer encode(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  /**
   * Decodes all remaining bytes and leaves the buffer's position as it is.
   *
   * @throws IllegalArgumentException if their number is not a multiple of 4
   */
  public static float[] decode(ByteBuffer bytes) {
    if (bytes.remaining() % Float.BYTES != 0) {
      throw new IllegalArgumentException(
          "%d bytes are not a whole number of float32 values".formatted(bytes.remaining()));
    }
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** CRC-32C over all remaining bytes, unsigned; leaves the buffer's position as it is. */
  public static long crc32c(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return crc.getValue();
  }

  /** Euclidean norm, summed in double precision; NaN or infinite if a value is. */
  public static double norm(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum);
  }
}
