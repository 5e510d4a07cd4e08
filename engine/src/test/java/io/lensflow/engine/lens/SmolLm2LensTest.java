package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
        compareFast(head.decode(batch, FAST), exact);
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

  private static void compareFast(LensRows fast, LensRows exact) {
    int over = 0;
    int n = exact.entropy().length;
    for (int row = 0; row < n; row++) {
      if (Math.abs(fast.entropy()[row] - exact.entropy()[row]) > 0.1
          || Math.abs(fast.logSumExp()[row] - exact.logSumExp()[row]) > 0.1) {
        over++;
      }
      int rank = exact.targets().ranks()[row];
      if (rank <= K) {
        assertThat(fast.targets().ranks()[row]).isBetween(rank - 1, rank + 1);
      }
      for (int i = row * K; i < row * K + K; i++) {
        assertThat(fast.topProbabilities()[i])
            .isEqualTo(exact.topProbabilities()[i], within(5e-3f));
        boolean clearAbove = i % K == 0 || exact.topLogits()[i - 1] - exact.topLogits()[i] > 1e-2;
        boolean clearBelow =
            i % K < K - 1 && exact.topLogits()[i] - exact.topLogits()[i + 1] > 1e-2;
        if (clearAbove && clearBelow) {
          assertThat(fast.topIds()[i]).isEqualTo(exact.topIds()[i]);
        }
      }
    }
    assertThat(over).isLessThanOrEqualTo(n / 1000);
    assertThat(fast.kl()).isNull();
  }
}
