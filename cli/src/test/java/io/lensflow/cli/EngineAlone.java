package io.lensflow.cli;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a prompt gives without Kafka, in float32: the truth that records are compared with.
 *
 * @param promptIds [P]
 * @param generatedIds [G]
 * @param text the generated text, special tokens left out
 * @param logits [N, V], N = P+G−1
 * @param lens what the head says, by layer, each over N rows
 */
record EngineAlone(
    int[] promptIds, int[] generatedIds, String text, float[][] logits, List<LensRows> lens) {
  static EngineAlone run(Path model, String prompt, int newTokens, int topK) throws IOException {
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32);
    try (Engine engine = EngineLoader.load(model, options);
        LensHead head = LensHead.load(model, LensHeadOptions.defaults())) {
      int[] promptIds = engine.tokenizer().encode(prompt);
      List<Integer> layers = IntStream.range(0, engine.config().layers()).boxed().toList();
      CapturePlan plan =
          new CapturePlan(List.of(HookPoint.RESIDUAL_POST), layers, PositionSpec.ALL, false);
      List<StepOutput> steps = new ArrayList<>();
      int[] generated =
          Generation.greedy(newTokens, Set.of())
              .capturing(plan)
              .withAllLogits()
              .run(engine, promptIds, steps::add);
      List<LensRows> lens = new ArrayList<>();
      for (int layer : layers) {
        lens.add(decode(head, rows(steps, layer, layers.size()), topK));
      }
      return new EngineAlone(
          promptIds,
          generated,
          engine.tokenizer().decode(true, generated),
          logits(steps, engine.config().vocabularySize()),
          lens);
    }
  }

  /** P+G−1. */
  int rowCount() {
    return promptIds.length + generatedIds.length - 1;
  }

  private static LensRows decode(LensHead head, ByteBuffer rows, int topK) {
    int n = rows.remaining() / (Float.BYTES * head.config().hiddenSize());
    return head.decode(LensBatch.of(rows, DType.FLOAT32, n), LensMetrics.summary(topK));
  }

  /** All rows of one layer, [N, D]. */
  private static ByteBuffer rows(List<StepOutput> steps, int layer, int layers) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (StepOutput step : steps) {
      CapturedRows captured = step.rows().get(0);
      int size = captured.payload().remaining() / layers;
      parts.add(captured.payload().slice(captured.payload().position() + layer * size, size));
    }
    ByteBuffer all = ByteBuffer.allocate(parts.stream().mapToInt(ByteBuffer::remaining).sum());
    parts.forEach(all::put);
    return all.flip();
  }

  private static float[][] logits(List<StepOutput> steps, int vocabulary) {
    return steps.stream()
        .flatMap(
            step ->
                IntStream.range(0, step.logits().length / vocabulary)
                    .mapToObj(
                        row ->
                            Arrays.copyOfRange(
                                step.logits(), row * vocabulary, (row + 1) * vocabulary)))
        .toArray(float[][]::new);
  }
}
