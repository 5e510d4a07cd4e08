package io.lensflow.bench.classical;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.bench.workload.Prompts;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensRows;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The loop and the system are compared in speed: so they must do the same. */
class ClassicalLoopTest {
  private static final int PROMPT = 9;
  private static final int NEW_TOKENS = 8;
  private static final int TOP_K = 5;

  private record Place(int layer, int position) {}

  @TempDir Path folder;

  @Test
  void shouldSayOfEveryRowWhatTheDeferredLensSays() throws Exception {
    new RandomCheckpoint(Shape.TINY, 3).write(folder);
    try (Engine engine =
            EngineLoader.load(folder, EngineOptions.defaults().withDType(DType.FLOAT32));
        LensHead head = LensHead.load(folder, LensHeadOptions.defaults())) {
      int[] prompt = Prompts.ids(PROMPT, 1, engine.config().vocabularySize());

      int[] ids = new ClassicalLoop(engine, head, TOP_K).run(prompt, NEW_TOKENS);
      int rows = PROMPT + NEW_TOKENS - 1;
      ClassicalLoop last = new ClassicalLoop(engine, head, TOP_K);
      CapturedRows states = last.forward(Arrays.copyOf(ids, rows));
      Map<Place, Integer> classical = new HashMap<>();
      collect(classical, states, last.lens(states), 0);

      Map<Place, Integer> deferred = new HashMap<>();
      DeferredLens lens =
          new DeferredLens(
              head, TOP_K, 20, (one, said, first) -> collect(deferred, one, said, first));
      try (Decoding decoding =
          new Decoding(
              engine,
              List.of(prompt),
              NEW_TOKENS - 1,
              CaptureSink.everyLayer(engine),
              (sequence, consumed, next, output) -> {
                lens.accept(sequence, consumed, next, output);
                int position = output.sequence().length();
                assertThat(next).as("token at %d", position).isEqualTo(ids[position]);
              })) {
        decoding.prefill().steps(NEW_TOKENS - 1);
        lens.flush();
      }

      assertThat(deferred).hasSize(rows * engine.config().layers()).isEqualTo(classical);
    }
  }

  private static void collect(
      Map<Place, Integer> top, CapturedRows rows, LensRows lens, int first) {
    int at = first;
    for (int layer : rows.layers()) {
      for (int position : rows.positions()) {
        top.put(new Place(layer, position), lens.topIds()[TOP_K * at++]);
      }
    }
  }

  @Test
  void shouldCountTheStatesThatTheLoopKeeps() throws Exception {
    new RandomCheckpoint(Shape.TINY, 3).write(folder);
    try (Engine engine = EngineLoader.load(folder, EngineOptions.defaults())) {
      var formula =
          new ClassicalMemory.Formula(
              new io.lensflow.bench.limit.WorkSize(engine.config(), DType.BFLOAT16));
      long tokens = 0;
      for (int length = 64; length < 64 + 10; length++) {
        tokens += length;
      }

      assertThat(formula.classical(10)).isEqualTo(tokens * 3.0 * 64 * 2);
      assertThat(formula.system(11) - formula.system(10)).isEqualTo(2 * 3 * 2 * 16 * 2.0);
    }
  }
}
