package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.Control;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The propensity curve: its mean over items with the spread, and the controls' means. */
public final class CurvePlot {
  private CurvePlot() {}

  /** The curve as an SVG picture that can stand alone. */
  public static String of(Evaluation evaluation) {
    List<Double> x = evaluation.multipliers();
    List<Double> low = shifted(evaluation, -1);
    List<Double> high = shifted(evaluation, 1);
    List<Double> all = new ArrayList<>(low);
    all.addAll(high);
    evaluation.controls().forEach(control -> all.addAll(control.meanCurve()));
    Plot plot =
        new Plot(
            "%s, %s, %d test items: mean slope %s"
                .formatted(
                    evaluation.vector(),
                    FactList.site(evaluation),
                    evaluation.slopes().size(),
                    Figures.of(evaluation.meanSlope())),
            range(x.stream()),
            range(Stream.concat(all.stream(), Stream.of(0.0))));
    plot.axes("multiplier", x, "propensity: logit(matching) − logit(other)")
        .horizontal(0, Svg.GREY, 1)
        .band(x, low, high, Svg.BLUE)
        .curve("the vector, ± sd over items", x, evaluation.meanCurve(), Svg.BLUE, true);
    for (Control control : evaluation.controls()) {
      boolean random = control.kind().equals(Evaluation.RANDOM);
      plot.curve(
          ControlNames.of(control), x, control.meanCurve(), random ? Svg.GREY : Svg.ORANGE, false);
    }
    return plot.toString();
  }

  private static List<Double> shifted(Evaluation evaluation, int sign) {
    return IntStream.range(0, evaluation.multipliers().size())
        .mapToObj(m -> evaluation.meanCurve().get(m) + sign * evaluation.stdCurve().get(m))
        .toList();
  }

  /** Smallest and largest. */
  static double[] range(Stream<Double> values) {
    var summary = values.mapToDouble(v -> v).summaryStatistics();
    return new double[] {summary.getMin(), summary.getMax()};
  }
}
