package io.lensflow.steering.exchange;

import io.lensflow.steering.vector.RefusedException;
import java.nio.ByteBuffer;

/** Element types that vectors are stored in, and how they become float32. */
enum StoredType {
  F32(4) {
    @Override
    float next(ByteBuffer bytes) {
      return bytes.getFloat();
    }
  },
  F16(2) {
    @Override
    float next(ByteBuffer bytes) {
      return half(bytes.getShort());
    }
  },
  BF16(2) {
    @Override
    float next(ByteBuffer bytes) {
      return Float.intBitsToFloat(bytes.getShort() << 16);
    }
  };

  private static final int HALF_BIAS = 15;
  private static final int FLOAT_BIAS = 127;

  private final int bytes;

  StoredType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of an element. */
  int bytes() {
    return bytes;
  }

  abstract float next(ByteBuffer bytes);

  /** {@code count} elements from a little-endian buffer. */
  float[] floats(ByteBuffer bytes, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = next(bytes);
    }
    return values;
  }

  /**
   * The type of that name.
   *
   * @param tensor what has it, for the error
   */
  static StoredType of(String tensor, String name) {
    for (StoredType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    throw RefusedException.invalid(
        null, "tensor '%s' is of type %s; use F32, F16 or BF16".formatted(tensor, name));
  }

  /** IEEE 754 binary16; Java 17 has no conversion of its own. */
  private static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent - HALF_BIAS + FLOAT_BIAS;
    return Float.intBitsToFloat(sign | (wide << 23) | (fraction << 13));
  }
}
