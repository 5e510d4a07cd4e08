package io.lensflow.bench.classical;

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
import io.lensflow.bench.workload.Prompts;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The system (capture, and a deferred lens of all layers and rows; engine and decoder's head in one
 * process) against {@link ClassicalLoop}: tokens/s ÷ tokens/s, 64 prompt and 256 new tokens, both
 * in the same dtype, top 5, entropy and logSumExp of every row.
 *
 * <p>The classical loop takes minutes. Within the alternation its step is timed at a few lengths,
 * and the sum over all 256 lengths follows by linear interpolation; {@link
 * Setting#fullClassicalLoop} also runs it to its end once and says how far off that sum was.
 */
public final class ClassicalSpeedup implements Benchmark {
  private static final int PROMPT_TOKENS = 64;
  private static final int NEW_TOKENS = 256;
  private static final int TOP_K = 5;

  /**
   * Lengths of the sequence at which a classical step is timed, the first and the last included.
   */
  private static final int[] LENGTHS = {64, 128, 192, 256, 319};

  private static final double AIM = 60;

  private final DType dtype;
  private final Definition definition;

  /**
   * @param name the figure's name
   * @param dtype of both
   * @param limit what the figure must reach
   */
  public ClassicalSpeedup(String name, DType dtype, double limit) {
    this.dtype = dtype;
    this.definition =
        new Definition(
            name,
            "tokens/s with a deferred lens ÷ the classical loop, 64 + 256 tokens, "
                + dtype.name().toLowerCase(Locale.ROOT),
            Bound.atLeast(limit, AIM));
  }

  @Override
  public List<Definition> definitions() {
    return List.of(definition);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    LensHeadOptions lens = LensHeadOptions.defaults();
    try (Engine engine =
            EngineLoader.load(setting.model(), EngineOptions.defaults().withDType(dtype));
        LensHead head = LensHead.load(setting.model(), lens)) {
      ClassicalLoop classical = new ClassicalLoop(engine, head, TOP_K);
      int[] ids = Prompts.ids(PROMPT_TOKENS + NEW_TOKENS, 1, engine.config().vocabularySize());
      double[] lensSeconds = new double[1];
      Timed system =
          Timed.whole(
              () ->
                  lensSeconds[0] =
                      generate(engine, head, lens.rowBlock(), Arrays.copyOf(ids, PROMPT_TOKENS)));
      Stream<Timed> steps =
          Arrays.stream(LENGTHS)
              .mapToObj(length -> Timed.whole(() -> classical.next(Arrays.copyOf(ids, length))));
      Timings timings =
          setting
              .comparison()
              .alternate(Stream.concat(Stream.of(system), steps).toArray(Timed[]::new));
      List<Double> samples = timings.samples(seconds -> classicalSeconds(seconds) / seconds[0]);
      String says = says(timings, lensSeconds[0]);
      if (setting.fullClassicalLoop()) {
        setting.progress().accept("the classical loop to its end, in " + dtype);
        double whole =
            Timed.whole(() -> classical.run(Arrays.copyOf(ids, PROMPT_TOKENS), NEW_TOKENS))
                .seconds();
        double sum = Figure.median(timings.samples(ClassicalSpeedup::classicalSeconds));
        says +=
            String.format(
                Locale.ROOT,
                " Run to its end the loop took %.0f s: the sum is off by %+.1f %%.",
                whole,
                (sum / whole - 1) * 100);
      }
      return List.of(
          new Finding(
              Figure.ofSamples(definition.name(), "ratio", samples), definition.bound(), says));
    }
  }

  private static String says(Timings timings, double lensSeconds) {
    double system = timings.median(0);
    double classical = Figure.median(timings.samples(ClassicalSpeedup::classicalSeconds));
    return String.format(
        Locale.ROOT,
        "%.1f tokens/s against %.2f: %.1f s, of them %.1f s in the lens, against %.0f s, summed from steps timed at %s tokens."
            + " The loop's last step alone takes %.2f s.",
        NEW_TOKENS / system,
        NEW_TOKENS / classical,
        system,
        lensSeconds,
        classical,
        Arrays.toString(LENGTHS),
        timings.median(LENGTHS.length));
  }

  /** Seconds of all steps, from those at {@link #LENGTHS}; the system's seconds stand first. */
  private static double classicalSeconds(double[] seconds) {
    return Interpolation.sum(LENGTHS, Arrays.copyOfRange(seconds, 1, seconds.length));
  }

  /**
   * Generates, and decodes every row of every layer.
   *
   * @return seconds spent in the lens
   */
  private static double generate(Engine engine, LensHead head, int batchRows, int[] prompt) {
    DeferredLens lens = new DeferredLens(head, TOP_K, batchRows, DeferredLens.Listener.NONE);
    try (Decoding decoding =
        new Decoding(
            engine, List.of(prompt), NEW_TOKENS - 1, CaptureSink.everyLayer(engine), lens)) {
      decoding.prefill();
      decoding.steps(NEW_TOKENS - 1);
      lens.flush();
      return lens.seconds();
    }
  }
}
