package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FiniteValuesTest {
  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldCallEveryPatternWhatJavaCallsItWhenItStandsAnywhere(DType dtype) {
    // All patterns of 16 bits; for float32 they are its upper half, over a lower half of ones.
    for (int pattern = 0; pattern < 1 << Short.SIZE; pattern++) {
      boolean finite = Float.isFinite(value(pattern, dtype));
      int index = pattern % 7;
      ByteBuffer bytes = elements(dtype, 7);
      put(bytes, index, pattern, dtype);
      assertThat(FiniteValues.firstNonFinite(bytes, dtype))
          .as("%s %x", dtype, pattern)
          .isEqualTo(finite ? -1 : index);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldFindTheFirstWhenFiniteOnesSurroundIt(DType dtype) {
    Random random = new Random(5);
    for (int trial = 0; trial < 200; trial++) {
      int count = 1 + random.nextInt(3000);
      ByteBuffer bytes = elements(dtype, count);
      int first = random.nextInt(count);
      put(bytes, first, 0x7FFF, dtype);
      put(bytes, first + random.nextInt(count - first), 0xFFFF, dtype);
      assertThat(FiniteValues.firstNonFinite(bytes, dtype)).isEqualTo(first);
      assertThat(bytes.position()).isZero();
      int after = (first + 1) * dtype.bytes();
      assertThat(FiniteValues.firstNonFinite(bytes.duplicate().limit(after - dtype.bytes()), dtype))
          .isEqualTo(-1);
      assertThat(
              FiniteValues.firstNonFinite(bytes.duplicate().position(after - dtype.bytes()), dtype))
          .isZero();
    }
  }

  /** The greatest finite values of both signs: full mantissas, next to a full exponent. */
  private static ByteBuffer elements(DType dtype, int count) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(count * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    int greatest = dtype == DType.FLOAT16 ? 0x7BFF : 0x7F7F;
    for (int i = 0; i < count; i++) {
      put(bytes, i, i % 2 == 0 ? greatest : greatest | 0x8000, dtype);
    }
    return bytes;
  }

  private static void put(ByteBuffer bytes, int index, int pattern, DType dtype) {
    if (dtype == DType.FLOAT32) {
      bytes.putInt(index * Integer.BYTES, pattern << Short.SIZE | 0xFFFF);
    } else {
      bytes.putShort(index * Short.BYTES, (short) pattern);
    }
  }

  private static float value(int pattern, DType dtype) {
    if (dtype == DType.FLOAT16) {
      // The exponent alone decides, so any float with an exponent as full will do.
      return (pattern & 0x7C00) == 0x7C00 ? Float.NaN : 0;
    }
    return Float.intBitsToFloat(pattern << Short.SIZE | (dtype == DType.FLOAT32 ? 0xFFFF : 0));
  }
}
