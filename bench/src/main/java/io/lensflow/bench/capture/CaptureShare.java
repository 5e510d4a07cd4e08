package io.lensflow.bench.capture;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturePlan;
import java.util.List;
import java.util.Locale;

/**
 * What capturing costs: tokens/s with {@code RESIDUAL_POST} of every layer set aside, cut into
 * chunks and serialised, ÷ tokens/s without. Without is a step that stages nothing.
 */
public final class CaptureShare implements Benchmark {
  private static final int PROMPT_TOKENS = 16;
  private static final int NEW_TOKENS = 64;
  private static final double LIMIT = 0.97;
  private static final double AIM = 0.99;

  private final int batch;

  /** At a batch of so many sequences. */
  public CaptureShare(int batch) {
    this.batch = batch;
  }

  @Override
  public List<Definition> definitions() {
    return List.of(
        new Definition(
            "capture-share-b" + batch,
            "tokens/s with all layers captured and made into chunks ÷ without, batch " + batch,
            Bound.atLeast(LIMIT, AIM)));
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options =
        EngineOptions.defaults().withKvTokens(batch * (PROMPT_TOKENS + NEW_TOKENS));
    try (Engine engine = EngineLoader.load(setting.model(), options)) {
      CapturePlan everyLayer = CaptureSink.everyLayer(engine);
      List<int[]> prompts = Decoding.prompts(engine, batch, PROMPT_TOKENS);
      long[] bytes = new long[1];
      Timed with =
          Timed.whole(
              () -> {
                try (CaptureSink sink = new CaptureSink(engine, prompts, NEW_TOKENS)) {
                  generate(engine, prompts, everyLayer, sink);
                  sink.drain();
                  bytes[0] = sink.bytes();
                }
              });
      Timed without =
          Timed.whole(() -> generate(engine, prompts, CapturePlan.NONE, Decoding.Observer.NONE));
      Timings timings = setting.comparison().alternate(with, without);
      Definition definition = definitions().get(0);
      Figure figure =
          Figure.ofSamples(
              definition.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
      return List.of(
          new Finding(figure, definition.bound(), says(timings, bytes[0])));
    }
  }

  private String says(Timings timings, long bytes) {
    double tokens = (double) batch * NEW_TOKENS;
    return String.format(
        Locale.ROOT,
        "%.0f tokens/s with capture, %.0f without; %.1f KB of records a token; per step %+.2f ms.",
        tokens / timings.median(0),
        tokens / timings.median(1),
        bytes / (double) batch / (PROMPT_TOKENS + NEW_TOKENS) / 1e3,
        (timings.median(0) - timings.median(1)) / NEW_TOKENS * 1e3);
  }

  private static void generate(
      Engine engine, List<int[]> prompts, CapturePlan plan, Decoding.Observer observer) {
    try (Decoding decoding = new Decoding(engine, prompts, NEW_TOKENS, plan, observer)) {
      decoding.prefill();
      decoding.steps(NEW_TOKENS);
    }
  }
}
