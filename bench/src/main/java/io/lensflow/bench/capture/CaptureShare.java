package io.lensflow.bench.capture;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
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
  private static final int TURN_TOKENS = 8;
  private static final int WARM_UP_ROUNDS = 8;
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
    // Both ways are open at a time.
    EngineOptions options =
        EngineOptions.defaults()
            .withKvTokens(Decoding.kvTokens(2 * batch, PROMPT_TOKENS + NEW_TOKENS));
    try (Engine engine = EngineLoader.load(setting.model(), options);
        Generating with = new Generating(engine, batch, true);
        Generating without = new Generating(engine, batch, false)) {
      int turns = NEW_TOKENS / TURN_TOKENS;
      Timed captured = Timed.whole(with::turn);
      Timed plain = Timed.whole(without::turn);
      // The virtual machine's compilers take their time from the same processors: they are given
      // some before anything counts: at batch 1 the code that makes chunks runs only a few times a
      // second.
      new Comparison(WARM_UP_ROUNDS).alternate(turns, captured, plain);
      Timings timings = setting.comparison().alternate(turns, captured, plain);
      Definition definition = definitions().get(0);
      Figure figure =
          Figure.ofSamples(
              definition.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
      return List.of(new Finding(figure, definition.bound(), says(timings, with.bytes)));
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

  /** One way of generating, a few tokens at a turn, from the prompt again when it is through. */
  private static final class Generating implements AutoCloseable {
    private final Engine engine;
    private final List<int[]> prompts;
    private final boolean captures;
    private Decoding decoding;
    private CaptureSink sink;
    private int left;

    /** Serialised bytes of the last generation that was finished. */
    private long bytes;

    Generating(Engine engine, int batch, boolean captures) {
      this.engine = engine;
      this.prompts = Decoding.prompts(engine, batch, PROMPT_TOKENS);
      this.captures = captures;
    }

    void turn() throws Exception {
      if (left == 0) {
        begin();
      }
      decoding.steps(TURN_TOKENS);
      left -= TURN_TOKENS;
      if (captures) {
        if (left == 0) {
          sink.drain();
          bytes = sink.bytes();
        } else {
          sink.await();
        }
      }
    }

    private void begin() {
      close();
      sink = captures ? new CaptureSink(engine, prompts, NEW_TOKENS) : null;
      CapturePlan plan = captures ? CaptureSink.everyLayer(engine) : CapturePlan.NONE;
      Decoding.Observer observer = captures ? sink : Decoding.Observer.NONE;
      decoding = new Decoding(engine, prompts, NEW_TOKENS, plan, observer);
      decoding.prefill();
      left = NEW_TOKENS;
    }

    @Override
    public void close() {
      if (decoding != null) {
        decoding.close();
      }
      if (sink != null) {
        sink.close();
      }
    }
  }
}
