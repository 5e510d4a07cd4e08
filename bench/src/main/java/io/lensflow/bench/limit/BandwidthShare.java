package io.lensflow.bench.limit;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Steps;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How near a decode step at batch 1 comes to memory's speed: bytes that it must read (weights, keys
 * and values) ÷ read bandwidth ÷ seconds of the step.
 */
public final class BandwidthShare implements Benchmark {
  private static final int STEPS = 32;
  private static final int READS = 8;
  private static final double AIM = 0.7;

  /** A position where attention is next to nothing, to compare with. */
  private static final int EARLY = 100;

  private final int position;
  private final Definition definition;

  /**
   * @param name the figure's name
   * @param position cached tokens
   */
  public BandwidthShare(String name, int position) {
    this.position = position;
    this.definition =
        new Definition(
            name,
            "bytes moved ÷ read bandwidth ÷ seconds of a step, batch 1, position " + position,
            Bound.aimingAt(AIM));
  }

  @Override
  public List<Definition> definitions() {
    return List.of(definition);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options = EngineOptions.defaults();
    try (Engine engine = EngineLoader.load(setting.model(), options)) {
      WorkSize size = new WorkSize(engine.config(), engine.dtype());
      try (MemoryReading memory = new MemoryReading(size.weightBytes(), options.threads())) {
        List<Timed> timed = new ArrayList<>();
        timed.add(Timed.each(READS, memory::run));
        timed.add(Steps.at(engine, 1, position, STEPS));
        if (position > EARLY) {
          timed.add(Steps.at(engine, 1, EARLY, STEPS));
        }
        Timings timings = setting.comparison().alternate(timed.toArray(Timed[]::new));
        double moved = size.weightBytes() + (double) size.keyValueBytes(position);
        double reads = moved / memory.bytes();
        Figure figure =
            Figure.ofSamples(
                definition.name(),
                "ratio",
                timings.samples(seconds -> reads * seconds[0] / seconds[1]));
        String says = says(timings, size, timings.median(0) / memory.bytes());
        return List.of(new Finding(figure, definition.bound(), says));
      }
    }
  }

  private String says(Timings timings, WorkSize size, double secondsPerByte) {
    long weights = size.weightBytes();
    long keyValues = size.keyValueBytes(position);
    double step = timings.median(1);
    String text =
        String.format(
            Locale.ROOT,
            "%.0f MB of weights and %.1f MB of keys and values at %.1f GB/s are %.2f ms of a step of %.2f ms.",
            weights / 1e6,
            keyValues / 1e6,
            1 / secondsPerByte / 1e9,
            (weights + keyValues) * secondsPerByte * 1e3,
            step * 1e3);
    if (position > EARLY) {
      text +=
          String.format(
              Locale.ROOT,
              " It takes %+.2f ms against position %d; reading the keys and values between them takes %.2f ms.",
              (step - timings.median(2)) * 1e3,
              EARLY,
              (keyValues - size.keyValueBytes(EARLY)) * secondsPerByte * 1e3);
    }
    return text;
  }
}
