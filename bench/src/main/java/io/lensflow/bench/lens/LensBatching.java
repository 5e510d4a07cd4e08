package io.lensflow.bench.lens;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;

/**
 * Why the lens is deferred: rows/s of one call with 256 rows ÷ rows/s of one call per row; top 5,
 * entropy and logSumExp included.
 */
public final class LensBatching implements Benchmark {
  private static final int ROWS = 256;
  private static final LensMetrics METRICS = LensMetrics.summary(5);
  private static final Definition DEFINITION =
      new Definition(
          "lens-batch-speedup-256",
          "rows/s of the lens over 256 rows in one call ÷ one call per row",
          Bound.NONE);

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    try (LensHead head = LensHead.load(setting.model(), LensHeadOptions.defaults())) {
      int rowBytes = head.config().hiddenSize() * Float.BYTES;
      ByteBuffer values = RandomRows.of(ROWS, head.config().hiddenSize());
      Timed together =
          Timed.each(4, () -> head.decode(LensBatch.of(values, DType.FLOAT32, ROWS), METRICS));
      Timed alone =
          Timed.whole(
              () -> {
                for (int row = 0; row < ROWS; row++) {
                  head.decode(
                      LensBatch.of(values.slice(row * rowBytes, rowBytes), DType.FLOAT32, 1),
                      METRICS);
                }
              });
      Timings timings = setting.comparison().alternate(together, alone);
      Figure figure =
          Figure.ofSamples(
              DEFINITION.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
      String says =
          String.format(
              Locale.ROOT,
              "%.0f rows/s together, %.0f one by one, which reads the whole head for each row.",
              ROWS / timings.median(0),
              ROWS / timings.median(1));
      return List.of(new Finding(figure, DEFINITION.bound(), says));
    }
  }
}
