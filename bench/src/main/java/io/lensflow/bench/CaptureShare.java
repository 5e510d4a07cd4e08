package io.lensflow.bench;

import io.lensflow.engine.Engine;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.text.spec.PositionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What capturing costs: speed of generation with {@code RESIDUAL_POST} of every layer set aside, as
 * a share of the speed without. Without means a step that stages nothing.
 */
final class CaptureShare {
  private static final int PROMPT_TOKENS = 16;

  private final Engine engine;
  private final int batch;
  private final int newTokens;

  CaptureShare(Engine engine, int batch, int newTokens) {
    this.engine = engine;
    this.batch = batch;
    this.newTokens = newTokens;
  }

  Figure measure(Comparison comparison) throws Exception {
    CapturePlan everyLayer =
        new CapturePlan(
            List.of(HookPoint.RESIDUAL_POST),
            IntStream.range(0, engine.config().layers()).boxed().toList(),
            PositionSpec.ALL,
            false);
    return Figure.ofSamples(
        "capture-share-b" + batch,
        "ratio",
        comparison.speedShare(() -> generate(everyLayer), () -> generate(CapturePlan.NONE)));
  }

  private void generate(CapturePlan plan) {
    List<Sequence> sequences = new ArrayList<>();
    try {
      List<StepInput> inputs = new ArrayList<>();
      for (int b = 0; b < batch; b++) {
        Sequence sequence =
            engine.open(
                new SequenceOptions(PROMPT_TOKENS, PROMPT_TOKENS + newTokens, plan, List.of()));
        sequences.add(sequence);
        inputs.add(new StepInput(sequence, prompt(b), StepInput.Logits.LAST));
      }
      for (int token = 0; token < newTokens; token++) {
        inputs = engine.step(inputs).stream().map(CaptureShare::next).toList();
      }
    } finally {
      sequences.forEach(Sequence::close);
    }
  }

  /** Any ids do: what is timed does not depend on them. */
  private int[] prompt(int seed) {
    int[] ids = new int[PROMPT_TOKENS];
    Arrays.setAll(ids, i -> (31 * i + 7 * seed + 11) % engine.config().vocabularySize());
    return ids;
  }

  private static StepInput next(StepOutput output) {
    float[] logits = output.logits();
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    return new StepInput(output.sequence(), new int[] {best}, StepInput.Logits.LAST);
  }
}
