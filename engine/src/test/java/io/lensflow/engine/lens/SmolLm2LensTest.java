package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Golden;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.testkit.SmolLm2;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Both paths on rows of a real model, at all its layers. */
class SmolLm2LensTest {
  private static final int CASES = 7;
  private static final int K = 5;
  private static final LensMetrics ALL =
      new LensMetrics(K, true, true, 1, true, true, LensAccuracy.EXACT);
  private static final LensMetrics FAST =
      new LensMetrics(K, true, true, 1, false, false, LensAccuracy.FAST);

  @Test
  void shouldGiveGoldenMetricsAndFastOnesNearThem() throws IOException, InterruptedException {
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(128);
    try (Golden golden = Golden.of("smollm2-135m-instruct");
        Engine engine = EngineLoader.load(SmolLm2.folder(), options);
        LensHead head = LensHead.load(SmolLm2.folder(), LensHeadOptions.defaults())) {
      for (int i = 0; i < CASES; i++) {
        LensBatch batch = batch(golden, "case" + i, engine);
        LensRows exact = head.decode(batch, ALL);
        LensGolden.compare(golden, "case" + i + ".lens.residual_post.", exact, 1e-3f);
        LensGolden.compareFast(head.decode(batch, FAST), exact);
      }
    }
  }

  /** Rows of every layer, each with the token that came next and the model's own row. */
  private static LensBatch batch(Golden golden, String name, Engine engine) throws IOException {
    int[] tokens =
        IntStream.concat(
                Arrays.stream(golden.integers(name + ".prompt_ids")),
                Arrays.stream(golden.integers(name + ".greedy_ids")))
            .toArray();
    int positions = tokens.length - 1;
    List<Integer> layers = IntStream.range(0, engine.config().layers()).boxed().toList();
    CapturePlan plan =
        new CapturePlan(List.of(HookPoint.RESIDUAL_POST), layers, PositionSpec.ALL, true);
    try (Sequence sequence =
        engine.open(new SequenceOptions(positions, positions, plan, List.of()))) {
      int[] ids = Arrays.copyOf(tokens, positions);
      StepInput step = new StepInput(sequence, ids, StepInput.Logits.NONE);
      StepOutput output = engine.step(List.of(step)).get(0);
      CapturedRows rows = output.rows().get(0);
      int n = positions * layers.size();
      int[] position = IntStream.range(0, n).map(row -> row % positions).toArray();
      return LensBatch.of(rows.payload(), rows.dtype(), n)
          .withTargets(Arrays.stream(position).map(at -> tokens[at + 1]).toArray())
          .withFinalRows(output.finalRows().payload(), position);
    }
  }
}
