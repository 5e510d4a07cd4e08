package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Interval;
import io.lensflow.steering.evaluate.Slopes;
import io.lensflow.steering.items.SkippedLine;
import java.util.ArrayList;
import java.util.List;

/** Evaluations to show. */
final class Evaluations {
  /** What a data set or a model may hold. */
  static final String HOSTILE = "<script>alert('1 & \"2\"')</script>\u0007";

  private Evaluations() {}

  /** One with everything in it, of 4 items. */
  static Evaluation full() {
    Interval interval = new Interval(0.1, 0.3, 0.95, 10_000, 7);
    Slopes slopes = new Slopes(2, 0.2, 0.1, 0.5);
    List<Double> multipliers = List.of(-1.0, 0.0, 1.0);
    List<Double> curve = List.of(-0.25, 0.0, 0.15);
    List<Evaluation.Cell> cells = new ArrayList<>();
    for (String hook : List.of("ATTENTION_INPUT", "RESIDUAL_POST")) {
      for (int layer = 0; layer < 12; layer++) {
        double mean = hook.startsWith("A") ? 0.4 - 0.05 * Math.abs(layer - 4) : -0.02 * layer;
        cells.add(new Evaluation.Cell(hook, layer, 3.5, 0.1, new Slopes(9, mean, 0.1, 0.1)));
      }
    }
    return new Evaluation(
        "demo",
        "r1",
        "tone" + HOSTILE + "@2",
        "PCA",
        HOSTILE,
        "ab12",
        "chat",
        "ATTENTION_INPUT",
        4,
        List.of(new Evaluation.Site("ATTENTION_INPUT", 4, 3.5)),
        "last_prompt",
        List.of(0, 1, 2),
        List.of(),
        List.of(5, 6, 7, 9),
        1,
        multipliers,
        "LABEL",
        0.9,
        0.4,
        8.0,
        3.5,
        0,
        List.of(new double[] {-1, 0, 1}, new double[] {0, 0, 0}),
        List.of(1.0, 0.0, -0.4, 0.2),
        0.2,
        0.5,
        0.25,
        interval,
        curve,
        List.of(0.1, 0.1, 0.2),
        0.97,
        null,
        List.of(new Evaluation.ByLabel(" A", HOSTILE, slopes)),
        List.of(
            new Evaluation.Item(5, 6, "First " + HOSTILE, " (A)", " (B)", 1.0),
            new Evaluation.Item(6, 7, "Second", " (B)", " (A)", 0.2),
            new Evaluation.Item(7, 8, "Third", " (B)", " (A)", 0.0),
            new Evaluation.Item(9, 10, "Last", " (A)", " (B)", -0.4)),
        101,
        List.of(new SkippedLine(9, 8, "no field 'question'")),
        2,
        List.of("one control is missing " + HOSTILE),
        List.of(
            new Evaluation.Control(
                Evaluation.RANDOM, 3.5, null, 0.01, slopes, interval, curve, curve),
            new Evaluation.Control(
                Evaluation.SHUFFLED_LABELS, 3.5, 0.3, -0.1, slopes, interval, curve, curve)),
        new Evaluation.SideEffects(
            20,
            19,
            "all",
            1000,
            0.9911,
            false,
            List.of(
                new Evaluation.KlPoint(-1, 0.5, 2),
                new Evaluation.KlPoint(0, 0, 0),
                new Evaluation.KlPoint(1, 0.25, 1))),
        List.of(
            new Evaluation.Generation(
                HOSTILE,
                List.of(
                    new Evaluation.Continuation(-1, "no " + HOSTILE),
                    new Evaluation.Continuation(1, "yes")))),
        new Evaluation.Sweep(cells, cells.get(4)),
        77,
        0,
        1.5,
        "2026-01-02T03:04:05Z");
  }
}
