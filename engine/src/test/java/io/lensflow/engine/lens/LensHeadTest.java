package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import io.lensflow.engine.Golden;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LensHeadTest {
  private static final int K = 5;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldAgreeWithTransformersWhenDecodingResiduals(String fixture) throws IOException {
    Path checkpoint = SharedData.folder("fixtures/" + fixture);
    // Blocks that divide neither rows nor vocabulary, so that joining them is at work.
    LensHeadOptions blocks = new LensHeadOptions(7, 100, 2);
    try (Golden golden = Golden.of(fixture);
        LensHead lens = LensHead.load(checkpoint, blocks)) {
      for (String name : new String[] {"case0", "case1", "case2", "case3"}) {
        float[] residuals = golden.floats(name + ".residual_post");
        int n = residuals.length / lens.config().hiddenSize();
        LensRows rows =
            lens.decode(LensBatch.of(bytes(residuals), DType.FLOAT32, n), LensMetrics.summary(K));
        LensGolden.compare(golden, name + ".lens.residual_post.", rows, 1e-5f);
      }
    }
  }

  private static void assertClose(float[] actual, float[] expected, float by, String name) {
    assertThat(actual).as(name).containsExactly(expected, within(by));
  }

  @Test
  void shouldPutLowerIdsFirstWhenLogitsAreEqual() throws IOException {
    new CheckpointFolder(folder).constant("lm_head.weight", 0f).write();
    for (int columnBlock : new int[] {5, 48, 7}) {
      try (LensHead lens = LensHead.load(folder, new LensHeadOptions(4, columnBlock, 1))) {
        for (int k : new int[] {1, 3, 6, 48}) {
          LensRows rows =
              lens.decode(
                  LensBatch.of(bytes(random(9 * 16)), DType.FLOAT32, 9), LensMetrics.summary(k));
          for (int row = 0; row < 9; row++) {
            for (int i = 0; i < k; i++) {
              assertThat(rows.topIds()[row * k + i]).isEqualTo(i);
              assertThat(rows.topProbabilities()[row * k + i]).isEqualTo(1 / 48f, within(1e-7f));
            }
            assertThat(rows.entropy()[row]).isEqualTo((float) Math.log(48), within(1e-5f));
          }
        }
      }
    }
  }

  @Test
  void shouldGiveTheSameWhenRowsAreBfloat16AndBlocksDiffer() throws IOException {
    new CheckpointFolder(folder).write();
    float[] values = random(20 * 16);
    ByteBuffer brain =
        ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToIntBits(values[i]) & 0xFFFF0000;
      values[i] = Float.intBitsToFloat(bits);
      brain.putShort((short) (bits >>> Short.SIZE));
    }
    try (LensHead small = LensHead.load(folder, new LensHeadOptions(3, 11, 1));
        LensHead large = LensHead.load(folder, LensHeadOptions.defaults())) {
      LensRows a =
          small.decode(LensBatch.of(brain.flip(), DType.BFLOAT16, 20), LensMetrics.summary(K));
      LensRows b =
          large.decode(LensBatch.of(bytes(values), DType.FLOAT32, 20), LensMetrics.summary(K));
      assertThat(a.topIds()).isEqualTo(b.topIds());
      assertClose(a.topLogits(), b.topLogits(), 1e-5f, "logits");
      assertClose(a.entropy(), b.entropy(), 1e-5f, "entropy");
      for (int row = 0; row < 20; row++) {
        float[] p =
            Arrays.copyOfRange(
                large
                    .decode(LensBatch.of(bytes(values), DType.FLOAT32, 20), LensMetrics.summary(48))
                    .topProbabilities(),
                row * 48,
                (row + 1) * 48);
        double entropy = 0;
        double sum = 0;
        for (float probability : p) {
          entropy -= probability * Math.log(probability);
          sum += probability;
        }
        assertThat(sum).isEqualTo(1, within(1e-5));
        assertThat((double) a.entropy()[row]).isEqualTo(entropy, within(1e-5));
      }
    }
  }

  @Test
  void shouldNameTheSizeWhenItIsOutOfRange() throws IOException {
    new CheckpointFolder(folder).write();
    try (LensHead lens = LensHead.load(folder, LensHeadOptions.defaults())) {
      ByteBuffer rows = bytes(random(32));
      assertThatThrownBy(
              () -> lens.decode(LensBatch.of(rows, DType.FLOAT32, 3), LensMetrics.summary(1)))
          .hasMessageContaining("n is 3 rows of 64 bytes, but the buffer holds 128");
      assertThatThrownBy(
              () -> lens.decode(LensBatch.of(rows, DType.FLOAT32, 2), LensMetrics.summary(49)))
          .hasMessageContaining("k is 49; it must be 0 … 48");
      assertThat(lens.decode(LensBatch.of(rows, DType.FLOAT32, 0), LensMetrics.summary(1)).topIds())
          .isEmpty();
    }
  }

  private static float[] random(int count) {
    Random random = new Random(11);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }
}
