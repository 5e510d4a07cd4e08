package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import java.util.List;

/** How the items' slopes are spread; those under 0 in another colour. */
final class SlopeHistogram {
  private static final int BINS = 20;

  private SlopeHistogram() {}

  static String of(Evaluation evaluation) {
    List<Double> slopes = evaluation.slopes();
    double[] range = CurvePlot.range(slopes.stream());
    // A bin's edge at 0, so that no bar holds items of both signs.
    double low = Math.min(0, range[0]);
    double high = Math.max(0, range[1]);
    double width = Math.max((high - low) / BINS, 1e-9);
    int below = (int) Math.ceil(-low / width - 1e-9);
    int above = (int) Math.ceil(high / width + 1e-9);
    int[] counts = new int[below + above + 1];
    for (double slope : slopes) {
      counts[below + (int) Math.floor(slope / width)]++;
    }
    int most = 1;
    for (int count : counts) {
      most = Math.max(most, count);
    }
    Plot plot =
        new Plot(
            "Slopes of the %d items".formatted(slopes.size()),
            new double[] {-below * width, above * width},
            new double[] {0, most});
    plot.axes("slope: change of propensity per unit of the multiplier", plot.roundX(8), "items");
    for (int bin = 0; bin < counts.length; bin++) {
      if (counts[bin] > 0) {
        double from = (bin - below) * width;
        plot.bar(
            from,
            from + width,
            counts[bin],
            bin < below ? Svg.ORANGE : Svg.BLUE,
            "%d items: %s … %s".formatted(counts[bin], Figures.of(from), Figures.of(from + width)));
      }
    }
    return plot.vertical(0, Svg.INK)
        .named("with the vector", Svg.BLUE)
        .named("against it", Svg.ORANGE)
        .toString();
  }
}
