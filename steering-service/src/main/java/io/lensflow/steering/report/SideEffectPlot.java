package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.KlPoint;
import java.util.List;
import java.util.stream.Stream;

/** How far each multiplier moves the model on a neutral text. */
final class SideEffectPlot {
  private SideEffectPlot() {}

  static String of(Evaluation evaluation) {
    List<KlPoint> points = evaluation.sideEffects().points();
    List<Double> x = points.stream().map(KlPoint::multiplier).toList();
    List<Double> mean = points.stream().map(KlPoint::kl).toList();
    Plot plot =
        new Plot(
            "Side effect on a neutral text",
            CurvePlot.range(x.stream()),
            CurvePlot.range(Stream.concat(mean.stream(), Stream.of(0.0))));
    plot.axes("multiplier", x, "mean KL(unsteered ‖ steered), nats")
        .curve("mean over the text's rows", x, mean, Svg.ORANGE, true);
    return plot.toString();
  }
}
