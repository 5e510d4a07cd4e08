package io.lensflow.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads and copies rows on the host, changing their element type where asked. Rounds to nearest,
 * ties to even, as the devices do. Stateless and thread-safe.
 */
public final class RowConversion {
  private RowConversion() {}

  /**
   * Copies elements.
   *
   * @param source little-endian elements
   * @param offset byte offset from the source's position
   * @param count number of elements
   * @param target written at its position, which moves on; little-endian
   */
  public static void copy(
      ByteBuffer source, long offset, int count, DType from, ByteBuffer target, DType to) {
    int start = Math.toIntExact(source.position() + offset);
    if (from == to) {
      int bytes = count * from.bytes();
      target.put(target.position(), source, start, bytes);
      target.position(target.position() + bytes);
      return;
    }
    ByteBuffer in = source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      put(target, to, get(in, start + i * from.bytes(), from));
    }
  }

  /**
   * One element.
   *
   * @param in little-endian
   * @param at byte index from the buffer's beginning
   */
  public static float get(ByteBuffer in, int at, DType dtype) {
    return switch (dtype) {
      case FLOAT32 -> in.getFloat(at);
      case BFLOAT16 -> Float.intBitsToFloat(in.getShort(at) << 16);
      case FLOAT16 -> halfToFloat(in.getShort(at));
    };
  }

  private static void put(ByteBuffer out, DType dtype, float value) {
    switch (dtype) {
      case FLOAT32 -> out.putFloat(value);
      case BFLOAT16 -> out.putShort(floatToBfloat16(value));
      case FLOAT16 -> out.putShort(floatToHalf(value));
    }
  }

  static short floatToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  static float halfToFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >>> 10) & 0x1F;
    int mantissa = half & 0x3FF;
    if (exponent == 0) {
      float magnitude = mantissa * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    if (exponent == 0x1F) {
      return Float.intBitsToFloat(sign | 0x7F800000 | (mantissa << 13));
    }
    return Float.intBitsToFloat(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }

  static short floatToHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    float magnitude = Math.abs(value);
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7E00);
    }
    if (magnitude >= 65520f) {
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x1p-14f) {
      // Subnormal: a whole number of 2^-24, which rint rounds to even.
      return (short) (sign | (int) Math.rint(magnitude * 0x1p24f));
    }
    int rounded = (bits & 0x7FFFFFFF) + 0xFFF + ((bits >>> 13) & 1);
    return (short) (sign | ((rounded >>> 13) - (112 << 10)));
  }
}
