package io.lensflow.bench.lens;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.figure.Machine;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import java.util.List;
import java.util.Locale;

/**
 * How fast 1,024 rows go through the lens, top 5, entropy and logSumExp included: against the plain
 * way over whole rows, and against the product with the head alone, which nothing can beat. All of
 * it timed in turn.
 */
public final class LensSpeed implements Benchmark {
  private static final int ROWS = 1024;
  private static final int TOP_K = 5;

  private static final int FAST = 0;
  private static final int EXACT = 1;
  private static final int WHOLE = 2;
  private static final int WHOLE_FLOAT32 = 3;
  private static final int PRODUCT = 4;
  private static final int PRODUCT_FLOAT32 = 5;

  private static final Definition VS_WHOLE_ROW =
      new Definition(
          "lens-vs-whole-row",
          "rows/s of the fast lens ÷ linear, log_softmax, topk and entropy over whole rows",
          Bound.atLeast(3, 6));

  private static final Definition SHARE_EXACT =
      new Definition(
          "lens-gemm-share-exact",
          "rows/s of the exact lens ÷ the float32 GEMM alone",
          Bound.atLeast(0.6, Double.NaN));

  /** With a matrix unit the product is so fast that exponentials are what is left. */
  private static final Definition SHARE_FAST =
      new Definition(
          "lens-gemm-share-fast",
          "rows/s of the fast lens ÷ the bfloat16 GEMM alone",
          Machine.hasAmx() ? Bound.aimingAt(0.6) : Bound.atLeast(0.6, Double.NaN));

  @Override
  public List<Definition> definitions() {
    return List.of(VS_WHOLE_ROW, SHARE_FAST, SHARE_EXACT);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    LensBatch rows = ModelRows.of(setting.model(), ROWS);
    LensHeadOptions options = LensHeadOptions.defaults();
    LensMetrics exact = LensMetrics.summary(TOP_K);
    LensMetrics fast = exact.withAccuracy(LensAccuracy.FAST);
    try (LensHead head = LensHead.load(setting.model(), options);
        PlainHead brain = new PlainHead(setting.model(), DType.BFLOAT16, ROWS, options.threads());
        PlainHead single = new PlainHead(setting.model(), DType.FLOAT32, ROWS, options.threads())) {
      Timed[] timed = new Timed[6];
      timed[FAST] = Timed.each(4, () -> head.decode(rows, fast));
      timed[EXACT] = Timed.whole(() -> head.decode(rows, exact));
      timed[WHOLE] = Timed.whole(() -> brain.wholeRows(TOP_K, DType.BFLOAT16));
      timed[WHOLE_FLOAT32] = Timed.whole(() -> brain.wholeRows(TOP_K, DType.FLOAT32));
      timed[PRODUCT] = Timed.each(4, brain::product);
      timed[PRODUCT_FLOAT32] = Timed.whole(single::product);
      Timings timings = setting.comparison().alternate(2, timed);
      return List.of(
          finding(VS_WHOLE_ROW, timings, WHOLE, FAST, whole(timings)),
          finding(SHARE_FAST, timings, PRODUCT, FAST, share(timings, PRODUCT, FAST, head)),
          finding(
              SHARE_EXACT,
              timings,
              PRODUCT_FLOAT32,
              EXACT,
              share(timings, PRODUCT_FLOAT32, EXACT, head)));
    }
  }

  private static Finding finding(
      Definition definition, Timings timings, int base, int lens, String says) {
    Figure figure =
        Figure.ofSamples(
            definition.name(), "ratio", timings.samples(seconds -> seconds[base] / seconds[lens]));
    return new Finding(figure, definition.bound(), says);
  }

  private static String whole(Timings timings) {
    return String.format(
        Locale.ROOT,
        "%.0f rows/s against %.0f, softmax in bfloat16, which says little of small probabilities;"
            + " in float32 it is %.0f.",
        rate(timings, FAST),
        rate(timings, WHOLE),
        rate(timings, WHOLE_FLOAT32));
  }

  private static String share(Timings timings, int product, int lens, LensHead head) {
    double operations = 2.0 * ROWS * head.config().hiddenSize() * head.config().vocabularySize();
    return String.format(
        Locale.ROOT,
        "%.1f ms for %d rows (%.0f rows/s); the product alone %.1f ms (%.0f GFLOP/s).",
        seconds(timings, lens) * 1e3,
        ROWS,
        rate(timings, lens),
        seconds(timings, product) * 1e3,
        operations / seconds(timings, product) / 1e9);
  }

  private static double rate(Timings timings, int i) {
    return ROWS / seconds(timings, i);
  }

  /** Of one of the two turns of a round. */
  private static double seconds(Timings timings, int i) {
    return timings.median(i) / 2;
  }
}
