package io.lensflow.decoder.lens;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CanaryTest {
  private static final int LAST_ROW = 2;
  private final ActivationChunk chunk = TestChunks.chunk("a", 0, 7);

  CanaryTest() {
    // Real float32 values, of which no two share their low mantissa bits with bfloat16.
    TestChunks.withValue(chunk, LAST_ROW, 1.2345678f);
  }

  @Test
  void shouldPassWhenWorkerAgrees() {
    worker(1, 20f, 20.5f);
    assertThat(compare(DType.FLOAT32, table(1, 20.0005f, 19f, 20.5005f)))
        .isEqualTo(new Canary.Report(1, 0, -1));
  }

  @Test
  void shouldReportWhenTopLogitOrLogSumExpDiffers() {
    worker(1, 20f, 20.5f);
    assertThat(compare(DType.FLOAT32, table(1, 20.002f, 19f, 20.5f)))
        .isEqualTo(new Canary.Report(1, 1, 7));
    assertThat(compare(DType.FLOAT32, table(1, 20f, 19f, 20.502f)).mismatches()).isEqualTo(1);
    assertThat(compare(DType.FLOAT32, table(1, 20f, 19f, Float.NaN)).mismatches()).isEqualTo(1);
  }

  @Test
  void shouldAllowAnotherTopIdOnlyWhenTheGapIsSmall() {
    worker(2, 20f, 20.5f);
    assertThat(compare(DType.FLOAT32, table(1, 20f, 19.9985f, 20.5f)).mismatches()).isZero();
    assertThat(compare(DType.FLOAT32, table(1, 20f, 19.9975f, 20.5f)).mismatches()).isEqualTo(1);
  }

  @Test
  void shouldAllowMoreWhenRowsAreBfloat16() {
    worker(1, 20f, 20.5f);
    assertThat(compare(DType.BFLOAT16, table(1, 20.2f, 19f, 20.3f)).mismatches()).isZero();
    assertThat(compare(DType.BFLOAT16, table(1, 20.3f, 19f, 20.5f)).mismatches()).isEqualTo(1);
  }

  @Test
  void shouldAllowMoreWhenFloat32RowsAreWidenedBfloat16() {
    ByteBuffer payload =
        ByteBuffer.allocate(chunk.getPayload().remaining()).order(ByteOrder.LITTLE_ENDIAN);
    while (payload.hasRemaining()) {
      payload.putFloat(1.5f);
    }
    TestChunks.withPayload(chunk, payload.flip());
    worker(1, 20f, 20.5f);
    assertThat(compare(DType.FLOAT32, table(1, 20.2f, 19f, 20.5f)).mismatches()).isZero();
  }

  @Test
  void shouldCheckNothingWhereWorkerRanNoHeadOrRowsAreOthers() {
    worker(null, null, null);
    assertThat(compare(DType.FLOAT32, table(1, 0, 0, 0))).isEqualTo(Canary.Report.NONE);
    worker(1, 20f, 20.5f);
    chunk.setHookPoint(HookPoint.MLP_OUTPUT);
    assertThat(compare(DType.FLOAT32, table(1, 0, 0, 0))).isEqualTo(Canary.Report.NONE);
    chunk.setHookPoint(HookPoint.RESIDUAL_POST);
    chunk.setLayers(List.of(0, 1));
    assertThat(compare(DType.FLOAT32, table(1, 0, 0, 0))).isEqualTo(Canary.Report.NONE);
  }

  private Canary.Report compare(DType dtype, LensTable table) {
    return Canary.compare(chunk, dtype, TestModel.LAYERS, table);
  }

  private void worker(Integer id, Float logit, Float logSumExp) {
    chunk.setModelTopIds(Arrays.asList(id));
    chunk.setModelTopLogits(Arrays.asList(logit));
    chunk.setModelLogSumExps(Arrays.asList(logSumExp));
  }

  /** Three rows, one per layer; the last holds these values, the others would never match. */
  private static LensTable table(int id, float first, float second, float logSumExp) {
    LensTable table = new LensTable(3, LensMetrics.summary(2), List.of());
    table.fill(
        LAST_ROW,
        new LensRows(
            2,
            new int[] {id, 3 - id},
            new float[] {first, second},
            new float[2],
            new float[1],
            new float[] {logSumExp},
            null,
            null,
            null),
        0,
        1);
    return table;
  }
}
