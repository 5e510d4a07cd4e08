package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensResult;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import io.lensflow.testkit.SmolLm2;
import io.lensflow.text.spec.PositionSpec;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A real model's rows, in float32 from the engine, through the topics. */
@ExtendWith(KafkaExtension.class)
class SmolLm2GoldenIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String CASE = "case0";

  /** The last ones, in two chunks: all layers of them are rows enough. */
  private static final int POSITIONS = 12;

  private static final int POSITIONS_A_CHUNK = 6;

  /** The engine's rows differ from the golden ones by rounding, and so do their logits. */
  private static final float PROBABILITIES = 1e-3f;

  @Test
  void shouldEqualGoldenMetricsAtAllLayersWhenTheExactPathIsNeeded(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/smollm2-135m-instruct");
    Path model = SmolLm2.folder();
    GoldenCase golden = golden(fixture, model);
    try (DecoderTestBed bed = new DecoderTestBed(environment, model);
        DecoderService service = bed.start(Map.of())) {
      Await.until("readiness", LIMIT, () -> service.readiness().ready());
      int chunks = 0;
      for (int from = golden.rows - POSITIONS; from < golden.rows; from += POSITIONS_A_CHUNK) {
        int to = Math.min(golden.rows, from + POSITIONS_A_CHUNK);
        ActivationChunk chunk =
            golden.chunk(CASE, chunks++, bed.revision, bed.tokenizerHash, from, to);
        chunk.setLenses(List.of(TestChunks.everyMetric("logit", 5)));
        bed.send(chunk);
      }
      bed.awaitResults(chunks, LIMIT);

      for (LensResult result : bed.results) {
        assertThat(result.getGap()).isNull();
        assertThat(result.getAccuracy()).isEqualTo(LensAccuracy.EXACT);
        assertThat(result.getCanaryMismatches()).isZero();
        golden.lens.assertEqualsIn(result, PROBABILITIES);
      }
      assertThat(bed.results.stream().mapToInt(result -> result.getPositions().size()).sum())
          .isEqualTo(POSITIONS);
    }
  }

  /** The case's tokens in one step, all layers captured. */
  private static GoldenCase golden(Path fixture, Path model) throws Exception {
    int[] ids = GoldenCase.consumed(fixture, CASE);
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(64);
    try (Engine engine = EngineLoader.load(model, options)) {
      int layers = engine.config().layers();
      CapturePlan plan =
          new CapturePlan(
              List.of(HookPoint.RESIDUAL_POST),
              IntStream.range(0, layers).boxed().toList(),
              PositionSpec.ALL,
              false);
      try (Sequence sequence =
          engine.open(new SequenceOptions(ids.length, ids.length, plan, List.of()))) {
        CapturedRows rows =
            engine.step(List.of(new StepInput(sequence, ids, Logits.LAST))).get(0).rows().get(0);
        int hiddenSize = engine.config().hiddenSize();
        float[] values = new float[layers * ids.length * hiddenSize];
        rows.payload().duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return GoldenCase.of(fixture, CASE, hiddenSize, values);
      }
    }
  }
}
