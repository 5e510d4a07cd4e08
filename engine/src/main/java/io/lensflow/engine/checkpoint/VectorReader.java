package io.lensflow.engine.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads small tensors into Java arrays, in float32. */
public final class VectorReader {
  private static final int FLOAT16_BIAS_SHIFT = 112 << 23;
  private static final int FLOAT16_EXPONENT = 0x7C00 << 13;

  private VectorReader() {}

  /**
   * All elements of a tensor of F32, F16, BF16 or F64.
   *
   * @throws CheckpointException if it is missing, of another type or larger than an array
   */
  public static float[] read(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = file.tensor(name);
    if (info.byteCount() > Integer.MAX_VALUE) {
      throw new CheckpointException(
          "%s: tensor %s is too large".formatted(file.path().toAbsolutePath(), name));
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) info.byteCount()).order(ByteOrder.LITTLE_ENDIAN);
    file.read(info, 0, bytes);
    bytes.flip();
    return switch (info.dtype()) {
      case "F32" -> {
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        yield values;
      }
      case "F64" -> {
        float[] values = new float[bytes.remaining() / Double.BYTES];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) bytes.getDouble();
        }
        yield values;
      }
      case "BF16", "F16" -> {
        boolean brain = info.dtype().equals("BF16");
        float[] values = new float[bytes.remaining() / Short.BYTES];
        for (int i = 0; i < values.length; i++) {
          short half = bytes.getShort();
          values[i] = brain ? Float.intBitsToFloat(half << Short.SIZE) : float16(half);
        }
        yield values;
      }
      default ->
          throw new CheckpointException(
              "%s: tensor %s is stored as %s; supported: F32, F16, BF16, F64"
                  .formatted(file.path().toAbsolutePath(), name, info.dtype()));
    };
  }

  /** Java 17 has no conversion of half floats; subnormals are scaled by arithmetic. */
  private static float float16(short half) {
    int magnitude = (half & 0x7FFF) << 13;
    float value;
    if ((magnitude & FLOAT16_EXPONENT) == FLOAT16_EXPONENT) {
      value = Float.intBitsToFloat(magnitude | 0x7F80_0000);
    } else if ((magnitude & FLOAT16_EXPONENT) == 0) {
      value = (half & 0x3FF) * 0x1p-24f;
    } else {
      value = Float.intBitsToFloat(magnitude + FLOAT16_BIAS_SHIFT);
    }
    return half < 0 ? -value : value;
  }
}
