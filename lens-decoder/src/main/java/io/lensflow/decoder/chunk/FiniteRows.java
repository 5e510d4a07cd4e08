package io.lensflow.decoder.chunk;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;

/** Looks for NaN and infinity: values all of whose exponent bits are set. Stateless. */
final class FiniteRows {
  private static final int FLOAT32_EXPONENT = 0x7f80_0000;
  private static final int BFLOAT16_EXPONENT = 0x7f80;
  private static final int FLOAT16_EXPONENT = 0x7c00;

  private FiniteRows() {}

  /** Index of the first value that is not finite; −1 if all are. */
  static int firstBad(ByteBuffer bytes, DType dtype) {
    ByteBuffer values = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    return switch (dtype) {
      case FLOAT32 -> firstBad(values.asIntBuffer());
      case BFLOAT16 -> firstBad(values.asShortBuffer(), BFLOAT16_EXPONENT);
      case FLOAT16 -> firstBad(values.asShortBuffer(), FLOAT16_EXPONENT);
    };
  }

  private static int firstBad(IntBuffer values) {
    for (int i = 0; i < values.limit(); i++) {
      if ((values.get(i) & FLOAT32_EXPONENT) == FLOAT32_EXPONENT) {
        return i;
      }
    }
    return -1;
  }

  private static int firstBad(ShortBuffer values, int exponent) {
    for (int i = 0; i < values.limit(); i++) {
      if ((values.get(i) & exponent) == exponent) {
        return i;
      }
    }
    return -1;
  }
}
