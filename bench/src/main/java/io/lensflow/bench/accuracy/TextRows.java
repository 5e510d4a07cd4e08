package io.lensflow.bench.accuracy;

import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.engine.Engine;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.generation.SamplingOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Float32 rows of text that a model wrote itself, greedily or at temperature 1.
 *
 * @param rows [L, T, D] of every layer, T = P+G−1
 * @param targets [T], the token that came next
 */
record TextRows(CapturedRows rows, int[] targets) {
  private static final List<String> OPENINGS =
      List.of(
          "The history of the city begins",
          "def mean(values):",
          "Dear Sir or Madam, I am writing to",
          "Question: what is the boiling point of water?\nAnswer:",
          "Once upon a time there was a",
          "In mathematics, a group is",
          "La première fois que",
          "1, 2, 3,");

  /**
   * Lets the model write.
   *
   * @param engine in float32
   * @param seed which opening and, if sampled, which text
   * @param newTokens G
   * @param sampled at temperature 1; else greedily
   */
  static TextRows write(Engine engine, int seed, int newTokens, boolean sampled) {
    int[] prompt = engine.tokenizer().encode(OPENINGS.get(seed % OPENINGS.size()));
    SamplingOptions sampling =
        sampled ? new SamplingOptions(1, 1, 0, 0, 1, seed) : SamplingOptions.GREEDY;
    Generation plain = Generation.greedy(newTokens, Set.of());
    int[] generated =
        new Generation(
                newTokens,
                Set.of(),
                sampling,
                plain.capture(),
                plain.steering(),
                false,
                plain.chunk())
            .run(engine, prompt, step -> {});
    int[] ids = Arrays.copyOf(prompt, prompt.length + generated.length);
    System.arraycopy(generated, 0, ids, prompt.length, generated.length);
    int t = ids.length - 1;
    SequenceOptions all =
        new SequenceOptions(prompt.length, t, CaptureSink.everyLayer(engine), List.of());
    try (Sequence sequence = engine.open(all)) {
      int[] consumed = Arrays.copyOf(ids, t);
      StepInput step = new StepInput(sequence, consumed, StepInput.Logits.NONE);
      CapturedRows rows = engine.step(List.of(step)).get(0).rows().get(0);
      return new TextRows(rows, Arrays.copyOfRange(ids, 1, ids.length));
    }
  }

  /** L. */
  int layers() {
    return rows.layers().length;
  }

  /** T. */
  int positions() {
    return targets.length;
  }
}
