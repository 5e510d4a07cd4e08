package io.lensflow.bench.limit;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.figure.Machine;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturePlan;
import java.util.List;
import java.util.Locale;

/**
 * How much of reading a prompt of 512 tokens is GEMM: FLOP/s of the linears within it ÷ FLOP/s of
 * the same linears alone. Attention's operations do not count, as if it did nothing.
 */
public final class PrefillShare implements Benchmark {
  private static final int TOKENS = 512;
  private static final double LIMIT = 0.5;
  private static final double AIM_WITH_AMX = 0.6;
  private static final double AIM = 0.8;

  @Override
  public List<Definition> definitions() {
    return List.of(
        new Definition(
            "prefill-gemm-share",
            "FLOP/s of the linears of a 512-token prompt ÷ the same GEMMs alone",
            Bound.atLeast(LIMIT, Machine.hasAmx() ? AIM_WITH_AMX : AIM)));
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options = EngineOptions.defaults();
    try (Engine engine = EngineLoader.load(setting.model(), options);
        LinearsAlone linears =
            LinearsAlone.load(setting.model(), engine.dtype(), options.threads());
        LinearsAlone.Pass pass = linears.pass(TOKENS, 1)) {
      List<int[]> prompt = Decoding.prompts(engine, 1, TOKENS);
      Timed prefill =
          Timed.whole(
              () -> {
                try (Decoding decoding =
                    new Decoding(engine, prompt, 0, CapturePlan.NONE, Decoding.Observer.NONE)) {
                  decoding.prefill();
                }
              });
      Timings timings = setting.comparison().alternate(Timed.each(2, pass::run), prefill);
      Definition definition = definitions().get(0);
      Figure figure =
          Figure.ofSamples(
              definition.name(), "ratio", timings.samples(seconds -> seconds[0] / seconds[1]));
      double operations = new WorkSize(engine.config(), engine.dtype()).linearOperations(TOKENS, 1);
      String says =
          String.format(
              Locale.ROOT,
              "512 tokens take %.0f ms (%.0f tokens/s, %.0f GFLOP/s); the GEMMs alone %.0f ms (%.0f GFLOP/s).",
              timings.median(1) * 1e3,
              TOKENS / timings.median(1),
              operations / timings.median(1) / 1e9,
              timings.median(0) * 1e3,
              operations / timings.median(0) / 1e9);
      return List.of(new Finding(figure, definition.bound(), says));
    }
  }
}
