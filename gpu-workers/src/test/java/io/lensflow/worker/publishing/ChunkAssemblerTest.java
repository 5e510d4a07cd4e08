package io.lensflow.worker.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensMetric;
import io.lensflow.records.NormScale;
import io.lensflow.records.PromptRequest;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChunkAssemblerTest {
  private static final int LAYERS = 4;
  private static final int HIDDEN = 16;

  private final EngineInfo engine = Runs.engine(LAYERS, HIDDEN);
  private Instant now = Instant.EPOCH;
  private final PayloadScratch scratch = new PayloadScratch();
  private final List<ChunkAssembler.Chunk> chunks = new ArrayList<>();
  private long received;

  private ChunkAssembler assembler(
      int maxRecordBytes, int maxRows, Consumer<PromptRequest> change) {
    Run run = Runs.run(engine, Traffic.request("prompt", 8, change));
    return new ChunkAssembler(
        run,
        Runs.identity(),
        engine,
        new ChunkLimits(maxRecordBytes, maxRows, Duration.ofMillis(100)),
        scratch,
        () -> now);
  }

  private static float value(HookPoint hookPoint, int layer, int position) {
    return 100 * hookPoint.ordinal() + 10 * layer + position;
  }

  private static CapturedRows rows(HookPoint hookPoint, int[] layers, int[] positions) {
    ByteBuffer payload =
        ByteBuffer.allocate(layers.length * positions.length * HIDDEN * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer : layers) {
      for (int position : positions) {
        for (int i = 0; i < HIDDEN; i++) {
          payload.putFloat(value(hookPoint, layer, position));
        }
      }
    }
    return new CapturedRows(hookPoint, layers, positions, DType.FLOAT32, HIDDEN, payload.flip());
  }

  /** A step over positions first … first+count−1, everything captured. */
  private void step(ChunkAssembler assembler, int first, int count, HookPoint... hookPoints) {
    int[] positions = IntStream.range(first, first + count).toArray();
    int[] layers = IntStream.range(0, LAYERS).toArray();
    List<CapturedRows> captured = new ArrayList<>();
    for (HookPoint hookPoint : hookPoints) {
      captured.add(rows(hookPoint, layers, positions));
    }
    float[] logits = new float[257];
    logits[first + count] = 5;
    StepRows step =
        new StepRows(
            first,
            positions.clone(),
            first + count,
            HeadSummary.of(logits),
            captured,
            rows(HookPoint.RESIDUAL_POST, new int[] {LAYERS - 1}, positions));
    received += step.bytes();
    assembler.add(step, this::keep);
  }

  private void flush(ChunkAssembler assembler) {
    assembler.flush(this::keep);
  }

  /** With a copy of the payload, which the next chunk overwrites. */
  private void keep(ChunkAssembler.Chunk chunk) {
    ActivationChunk copy = ActivationChunk.newBuilder(chunk.record()).build();
    chunks.add(new ChunkAssembler.Chunk(copy, chunk.heldBytes()));
  }

  private void checkContents() {
    for (ChunkAssembler.Chunk made : chunks) {
      ActivationChunk chunk = made.record();
      HookPoint hookPoint = HookPoint.valueOf(chunk.getHookPoint().name());
      ByteBuffer payload = chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN);
      for (int layer : chunk.getLayers()) {
        for (int i = 0; i < chunk.getPositions().size(); i++) {
          int position = chunk.getPositions().get(i);
          assertThat(chunk.getTokenIds().get(i)).isEqualTo(position);
          assertThat(chunk.getNextTokenIds().get(i)).isEqualTo(position + 1);
          for (int d = 0; d < HIDDEN; d++) {
            assertThat(payload.getFloat()).isEqualTo(value(hookPoint, layer, position));
          }
        }
      }
      assertThat(payload.hasRemaining()).isFalse();
    }
  }

  @Test
  void shouldSendTheFirstRowsAtOnceAndGatherTheNext() {
    ChunkAssembler assembler = assembler(100_000, 256, r -> {});

    step(assembler, 0, 6, HookPoint.RESIDUAL_POST);
    assertThat(chunks).hasSize(1);
    step(assembler, 6, 1, HookPoint.RESIDUAL_POST);
    step(assembler, 7, 1, HookPoint.RESIDUAL_POST);
    assertThat(chunks).hasSize(1);
    assertThat(assembler.isDue(now.plusMillis(99))).isFalse();
    assertThat(assembler.isDue(now.plusMillis(100))).isTrue();
    flush(assembler);

    assertThat(chunks).extracting(c -> c.record().getSequence()).containsExactly(0, 1);
    assertThat(chunks.get(1).record().getPositions()).containsExactly(6, 7);
    assertThat(assembler.rows()).isEqualTo(8);
    assertThat(assembler.isDue(now.plusSeconds(9))).isFalse();
    checkContents();
  }

  @Test
  void shouldSayWhatTheHeadSaidOnlyWhereItRan() {
    ChunkAssembler assembler = assembler(100_000, 256, r -> {});

    step(assembler, 0, 3, HookPoint.RESIDUAL_POST);

    ActivationChunk chunk = chunks.get(0).record();
    assertThat(chunk.getModelTopIds()).containsExactly(null, null, 3);
    assertThat(chunk.getModelTopLogits()).containsExactly(null, null, 5f);
    double logSumExp = Math.log(Math.exp(5) + 256);
    assertThat(chunk.getModelLogSumExps().get(2)).isEqualTo((float) logSumExp);
  }

  @Test
  void shouldCutByRowsWhenThereAreMany() {
    ChunkAssembler assembler = assembler(100_000, 4, r -> {});

    step(assembler, 0, 10, HookPoint.RESIDUAL_POST, HookPoint.MLP_INPUT);

    assertThat(chunks)
        .extracting(c -> c.record().getPositions().size())
        .containsExactly(4, 4, 2, 4, 4, 2);
    assertThat(chunks).extracting(c -> c.record().getSequence()).containsExactly(0, 1, 2, 3, 4, 5);
    checkContents();
  }

  @Test
  void shouldStayUnderTheRecordLimitWhenRowsAreManyOrWide() throws IOException {
    for (int limit : new int[] {1900, 2500, 4000, 9000}) {
      chunks.clear();
      ChunkAssembler assembler =
          assembler(limit, 256, r -> r.setLabels(java.util.Map.of("a", "b")));
      step(assembler, 0, 40, HookPoint.RESIDUAL_POST);
      flush(assembler);

      for (ChunkAssembler.Chunk chunk : chunks) {
        assertThat(ActivationChunk.getEncoder().encode(chunk.record()).remaining())
            .isLessThan(limit);
      }
      assertThat(
              chunks.stream()
                  .mapToInt(c -> c.record().getPositions().size() * c.record().getLayers().size())
                  .sum())
          .isEqualTo(40 * LAYERS);
      checkContents();
    }
  }

  @Test
  void shouldSplitByLayersWhenOnePositionDoesNotFit() {
    ChunkAssembler assembler = assembler(1500, 256, r -> {});

    step(assembler, 0, 2, HookPoint.RESIDUAL_POST);

    assertThat(chunks.size()).isGreaterThan(2);
    assertThat(chunks).allSatisfy(c -> assertThat(c.record().getPositions()).hasSize(1));
    assertThat(
            chunks.stream()
                .filter(c -> c.record().getPositions().contains(0))
                .flatMap(c -> c.record().getLayers().stream()))
        .containsExactly(0, 1, 2, 3);
    checkContents();
  }

  @Test
  void shouldCarryTheFinalRowOnlyWhereAMetricNeedsItAndThePayloadLacksIt() {
    ChunkAssembler assembler =
        assembler(100_000, 256, r -> r.getLenses().get(0).setMetrics(List.of(LensMetric.KL)));

    step(assembler, 0, 2, HookPoint.RESIDUAL_POST, HookPoint.ATTENTION_INPUT);

    ActivationChunk input = chunks.get(0).record();
    ActivationChunk post = chunks.get(1).record();
    assertThat(input.getHookPoint()).isEqualTo(io.lensflow.records.HookPoint.ATTENTION_INPUT);
    ByteBuffer finalRow = input.getFinalRow().order(ByteOrder.LITTLE_ENDIAN);
    assertThat(finalRow.remaining()).isEqualTo(2 * HIDDEN * Float.BYTES);
    assertThat(finalRow.getFloat(0)).isEqualTo(value(HookPoint.RESIDUAL_POST, 3, 0));
    assertThat(finalRow.getFloat(HIDDEN * Float.BYTES))
        .isEqualTo(value(HookPoint.RESIDUAL_POST, 3, 1));
    assertThat(post.getFinalRow()).isNull();
  }

  @Test
  void shouldCarryTheFinalRowWhenTheNormIsFrozen() {
    ChunkAssembler assembler =
        assembler(100_000, 256, r -> r.getLenses().get(0).setNormScale(NormScale.FINAL));

    step(assembler, 0, 2, HookPoint.MLP_OUTPUT);

    assertThat(chunks.get(0).record().getFinalRow().remaining())
        .isEqualTo(2 * HIDDEN * Float.BYTES);
    assertThat(chunks.get(0).record().getLenses().get(0).getNormScale()).isEqualTo(NormScale.FINAL);
  }

  @Test
  void shouldGiveBackExactlyTheBytesThatItTookInWhenAllIsSent() {
    for (int limit : new int[] {1500, 2500, 100_000}) {
      chunks.clear();
      received = 0;
      ChunkAssembler assembler =
          assembler(limit, 3, r -> r.getLenses().get(0).setMetrics(List.of(LensMetric.JS)));
      step(assembler, 0, 7, HookPoint.RESIDUAL_POST, HookPoint.MLP_OUTPUT);
      step(assembler, 7, 1, HookPoint.RESIDUAL_POST, HookPoint.MLP_OUTPUT);
      flush(assembler);

      assertThat(chunks.stream().mapToLong(ChunkAssembler.Chunk::heldBytes).sum())
          .isEqualTo(received);
    }
  }
}
