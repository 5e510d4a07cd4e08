package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class RowConversionTest {
  @Test
  void shouldRoundTripEveryHalf() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = RowConversion.halfToFloat((short) bits);
      if (Float.isNaN(value)) {
        assertThat(RowConversion.halfToFloat(RowConversion.floatToHalf(value))).isNaN();
      } else {
        assertThat(RowConversion.floatToHalf(value)).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void shouldRoundTripEveryBfloat16() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Float.intBitsToFloat(bits << 16);
      if (!Float.isNaN(value)) {
        assertThat(RowConversion.floatToBfloat16(value)).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void shouldRoundToTheNearestEvenWhenHalfwayBetweenTwo() {
    // 1 + 1/256 lies halfway between the bfloat16 numbers 1 and 1 + 1/128.
    assertThat(RowConversion.floatToBfloat16(1 + 0x1p-8f)).isEqualTo((short) 0x3F80);
    assertThat(RowConversion.floatToBfloat16(1 + 0x1p-7f + 0x1p-8f)).isEqualTo((short) 0x3F82);
    assertThat(RowConversion.floatToHalf(1 + 0x1p-11f)).isEqualTo((short) 0x3C00);
    assertThat(RowConversion.floatToHalf(1 + 0x1p-10f + 0x1p-11f)).isEqualTo((short) 0x3C02);
  }

  @Test
  void shouldOverflowToInfinityWhenAHalfCannotHoldIt() {
    assertThat(RowConversion.floatToHalf(65519f)).isEqualTo((short) 0x7BFF);
    assertThat(RowConversion.floatToHalf(65520f)).isEqualTo((short) 0x7C00);
    assertThat(RowConversion.floatToHalf(-1e9f)).isEqualTo((short) 0xFC00);
  }

  @Test
  void shouldCopyPartOfABufferWhenTypesAreEqualOrNot() {
    ByteBuffer source = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    source.putFloat(1).putFloat(2).putFloat(3).putFloat(4).flip();
    ByteBuffer same = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer narrow = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);

    RowConversion.copy(source, 4, 2, DType.FLOAT32, same, DType.FLOAT32);
    RowConversion.copy(source, 4, 2, DType.FLOAT32, narrow, DType.BFLOAT16);

    assertThat(same.flip().getFloat(0)).isEqualTo(2);
    assertThat(same.getFloat(4)).isEqualTo(3);
    assertThat(Float.intBitsToFloat(narrow.flip().getShort(0) << 16)).isEqualTo(2);
    assertThat(Float.intBitsToFloat(narrow.getShort(2) << 16)).isEqualTo(3);
  }
}
