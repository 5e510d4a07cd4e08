package io.lensflow.bench.tensorparallel;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.bench.workload.Steps;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import java.util.List;
import java.util.Locale;

/**
 * What tensor parallelism costs: tokens/s of two ranks with a thread each ÷ tokens/s of one rank
 * with two threads, batch 16. On a random checkpoint, since not every model's heads can be shared
 * by two; {@code --model} is not used.
 */
public final class RankSpeedShare implements Benchmark {
  private static final int RANKS = 2;
  private static final int BATCH = 16;
  private static final int POSITION = 100;
  private static final int STEPS = 16;
  private static final Definition DEFINITION =
      new Definition(
          "tp2-speed-share",
          "tokens/s of two ranks with a thread each ÷ one rank with two threads, batch 16",
          Bound.atLeast(0.9, 1));

  private final Shape shape;

  /** On a random checkpoint of a shape whose heads two ranks can share. */
  public RankSpeedShare(Shape shape) {
    this.shape = shape;
  }

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions one =
        EngineOptions.defaults()
            .withThreads(RANKS)
            .withKvTokens(Decoding.kvTokens(BATCH, POSITION + STEPS));
    try (TemporaryFolder folder = new TemporaryFolder()) {
      new RandomCheckpoint(shape, 1).write(folder.path());
      try (Engine two = EngineLoader.load(folder.path(), one.withRanks(RANKS));
          Engine alone = EngineLoader.load(folder.path(), one)) {
        Timings timings =
            setting
                .comparison()
                .alternate(
                    Steps.at(two, BATCH, POSITION, STEPS), Steps.at(alone, BATCH, POSITION, STEPS));
        Figure figure =
            Figure.ofSamples(
                DEFINITION.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
        int reduces = 2 * two.config().layers() + 1;
        String says =
            String.format(
                Locale.ROOT,
                "%.0f tokens/s by two ranks, %.0f by one: a step takes %.2f and %.2f ms,"
                    + " %+.0f µs for each of its %d all-reduces.",
                BATCH / timings.median(0),
                BATCH / timings.median(1),
                timings.median(0) * 1e3,
                timings.median(1) * 1e3,
                (timings.median(0) - timings.median(1)) / reduces * 1e6,
                reduces);
        return List.of(new Finding(figure, DEFINITION.bound(), says));
      }
    }
  }
}
