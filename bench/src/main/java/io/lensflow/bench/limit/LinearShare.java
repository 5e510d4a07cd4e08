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
import java.util.List;
import java.util.Locale;

/**
 * How much of a decode step is linear algebra: seconds of all linears and the head alone, over all
 * layers' own weights, ÷ seconds of a step at batch 1, sampler included.
 */
public final class LinearShare implements Benchmark {
  private static final int POSITION = 100;
  private static final int STEPS = 32;
  private static final int PASSES = 16;
  private static final Definition DEFINITION =
      new Definition(
          "linear-share-b1",
          "seconds of the packed linears and the head alone ÷ seconds of a step, batch 1",
          Bound.atLeast(0.7, 0.85));

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options = EngineOptions.defaults();
    try (Engine engine = EngineLoader.load(setting.model(), options);
        LinearsAlone linears =
            LinearsAlone.load(setting.model(), engine.dtype(), options.threads());
        LinearsAlone.Pass pass = linears.pass(1, 1)) {
      Timings timings =
          setting
              .comparison()
              .alternate(Timed.each(PASSES, pass::run), Steps.at(engine, 1, POSITION, STEPS));
      Figure figure =
          Figure.ofSamples(
              DEFINITION.name(), "ratio", timings.samples(seconds -> seconds[0] / seconds[1]));
      double linear = timings.median(0);
      double step = timings.median(1);
      String says =
          String.format(
              Locale.ROOT,
              "A step takes %.2f ms (%.0f tokens/s): %.2f ms are linears and head at %.1f GB/s of weights,"
                  + " %.2f ms the rest: attention, norms, rotation, calls, sampler.",
              step * 1e3,
              1 / step,
              linear * 1e3,
              new WorkSize(engine.config(), engine.dtype()).weightBytes() / linear / 1e9,
              (step - linear) * 1e3);
      return List.of(new Finding(figure, DEFINITION.bound(), says));
    }
  }
}
