package io.lensflow.bench.limit;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.bench.workload.Steps;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import java.util.List;
import java.util.Locale;

/**
 * How near a decode step at batch 16 comes to whichever limit binds: the greater of bytes moved ÷
 * read bandwidth and of the seconds that the same GEMMs take alone, ÷ seconds of the step.
 */
public final class LimitShare implements Benchmark {
  private static final int BATCH = 16;
  private static final int POSITION = 100;
  private static final int STEPS = 16;
  private static final int READS = 8;
  private static final int PASSES = 8;
  private static final Definition DEFINITION =
      new Definition(
          "limit-share-b16",
          "max(bytes moved ÷ bandwidth, the same GEMMs alone) ÷ seconds of a step, batch 16",
          Bound.atLeast(0.5, 0.8));

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options =
        EngineOptions.defaults().withKvTokens(Decoding.kvTokens(BATCH, POSITION + STEPS));
    try (Engine engine = EngineLoader.load(setting.model(), options)) {
      WorkSize size = new WorkSize(engine.config(), engine.dtype());
      try (MemoryReading memory = new MemoryReading(size.weightBytes(), options.threads());
          LinearsAlone linears =
              LinearsAlone.load(setting.model(), engine.dtype(), options.threads());
          LinearsAlone.Pass pass = linears.pass(BATCH, BATCH)) {
        Timings timings =
            setting
                .comparison()
                .alternate(
                    Timed.each(READS, memory::run),
                    Timed.each(PASSES, pass::run),
                    Steps.at(engine, BATCH, POSITION, STEPS));
        double moved = size.weightBytes() + (double) size.keyValueBytes((long) BATCH * POSITION);
        double reads = moved / memory.bytes();
        Figure figure =
            Figure.ofSamples(
                DEFINITION.name(),
                "ratio",
                timings.samples(seconds -> Math.max(reads * seconds[0], seconds[1]) / seconds[2]));
        return List.of(new Finding(figure, DEFINITION.bound(), says(timings, size, reads)));
      }
    }
  }

  private static String says(Timings timings, WorkSize size, double reads) {
    double bandwidth = reads * timings.median(0);
    double gemm = timings.median(1);
    double step = timings.median(2);
    return String.format(
        Locale.ROOT,
        "%s binds: memory allows a step of %.2f ms, the GEMMs alone take %.2f ms (%.0f GFLOP/s); a step takes"
            + " %.2f ms (%.0f tokens/s), so that %.2f ms are attention, norms, calls and sampling.",
        gemm > bandwidth ? "The GEMM" : "Bandwidth",
        bandwidth * 1e3,
        gemm * 1e3,
        size.linearOperations(BATCH, BATCH) / gemm / 1e9,
        step * 1e3,
        BATCH / step,
        (step - gemm) * 1e3);
  }
}
