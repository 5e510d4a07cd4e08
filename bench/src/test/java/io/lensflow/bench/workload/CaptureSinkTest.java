package io.lensflow.bench.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaptureSinkTest {
  @TempDir Path folder;

  @Test
  void shouldSerialiseEveryRowOfEverySequence() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    try (Engine engine = EngineLoader.load(folder, EngineOptions.defaults())) {
      List<int[]> prompts = Decoding.prompts(engine, 2, 7);
      try (CaptureSink sink = new CaptureSink(engine, prompts, 5);
          Decoding decoding =
              new Decoding(engine, prompts, 5, CaptureSink.everyLayer(engine), sink)) {
        decoding.prefill().steps(5);
        sink.drain();

        long rows = 2L * (7 + 5) * engine.config().layers();
        assertThat(sink.rows()).isEqualTo(rows);
        assertThat(sink.bytes())
            .isGreaterThan(rows * engine.config().hiddenSize() * engine.dtype().bytes());
      }
    }
  }
}
