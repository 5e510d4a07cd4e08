package io.lensflow.bench.lens;

import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.LensBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Rows of a real model, of all its layers: how a lens finds its candidates depends on them. */
final class ModelRows {
  private static final String TEXT =
      "The residual stream is read by every layer and written by every layer. A lens asks what the"
          + " model would say if it had to stop here: the last norm and the head are applied to a"
          + " row that was never meant for them. Early rows say little. Late rows know the answer.";

  private ModelRows() {}

  /** N bfloat16 rows, of every layer of as many positions as it takes. */
  static LensBatch of(Path model, int n) throws IOException, InterruptedException {
    EngineOptions options = EngineOptions.defaults().withDType(DType.BFLOAT16);
    try (Engine engine = EngineLoader.load(model, options)) {
      int positions = (n + engine.config().layers() - 1) / engine.config().layers();
      int[] text = engine.tokenizer().encode(TEXT);
      int[] ids = new int[positions];
      for (int i = 0; i < positions; i++) {
        ids[i] = text[i % text.length];
      }
      SequenceOptions all =
          new SequenceOptions(positions, positions, CaptureSink.everyLayer(engine), List.of());
      try (Sequence sequence = engine.open(all)) {
        StepInput step = new StepInput(sequence, ids, StepInput.Logits.NONE);
        CapturedRows rows = engine.step(List.of(step)).get(0).rows().get(0);
        return LensBatch.of(rows.payload(), rows.dtype(), n);
      }
    }
  }
}
