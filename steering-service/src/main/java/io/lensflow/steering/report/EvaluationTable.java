package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.ByLabel;
import io.lensflow.steering.evaluate.Evaluation.Cell;
import io.lensflow.steering.evaluate.Evaluation.Control;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import io.lensflow.steering.evaluate.Evaluation.KlPoint;
import io.lensflow.steering.evaluate.Evaluation.Sweep;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** An evaluation as lines of a terminal. Stateless, thread-safe. */
public final class EvaluationTable {
  private static final int BAR = 24;
  private static final int BEST_SITES = 5;

  private EvaluationTable() {}

  /** The lines, without line ends. */
  public static List<String> of(Evaluation evaluation) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s on %s: %s, %d test items of %s (%s), steered at %s"
            .formatted(
                evaluation.vector(),
                evaluation.model(),
                FactList.site(evaluation),
                evaluation.test().size(),
                evaluation.dataset(),
                evaluation.promptFormat(),
                evaluation.positions()));
    lines.add("");
    slopes(evaluation, lines);
    curve(evaluation, lines);
    if (evaluation.sweep() != null) {
      sweep(evaluation.sweep(), lines);
    }
    evaluation.generations().forEach(generation -> generation(generation, lines));
    if (!evaluation.skipped().isEmpty()) {
      lines.add("");
      lines.add("skipped %d lines:".formatted(evaluation.skippedCount()));
      evaluation.skipped().forEach(skipped -> lines.add("  " + skipped));
      int more = evaluation.skippedCount() - evaluation.skipped().size();
      if (more > 0) {
        lines.add("  and %d more".formatted(more));
      }
    }
    return lines;
  }

  private static void slopes(Evaluation evaluation, List<String> lines) {
    String format = "%-26s %6s  %10s  %-22s %9s  %14s";
    lines.add(format.formatted("", "items", "mean slope", "95 % interval", "sd", "anti-steerable"));
    lines.add(
        format.formatted(
            "the vector",
            evaluation.slopes().size(),
            Figures.of(evaluation.meanSlope()),
            Figures.of(evaluation.meanSlopeInterval()),
            Figures.of(evaluation.stdSlope()),
            Figures.share(evaluation.antiSteerableFraction())));
    for (ByLabel group : evaluation.byLabel()) {
      lines.add(
          format.formatted(
              "  “%s” over “%s”".formatted(group.matching(), group.other()),
              group.slopes().items(),
              Figures.of(group.slopes().mean()),
              "",
              Figures.of(group.slopes().deviation()),
              Figures.share(group.slopes().antiSteerable())));
    }
    for (Control control : evaluation.controls()) {
      lines.add(
          format.formatted(
              ControlNames.of(control),
              control.slopes().items(),
              Figures.of(control.slopes().mean()),
              Figures.of(control.meanSlopeInterval()),
              Figures.of(control.slopes().deviation()),
              Figures.share(control.slopes().antiSteerable())));
    }
    lines.add(
        "R² %s   Spearman %s   norm %s   label share %s"
            .formatted(
                Figures.of(evaluation.r2()),
                Figures.of(evaluation.spearman()),
                Figures.of(evaluation.vectorNorm()),
                Figures.of(evaluation.labelShare())));
    evaluation.warnings().forEach(warning -> lines.add("warning: " + warning));
  }

  private static void curve(Evaluation evaluation, List<String> lines) {
    List<Double> mean = evaluation.meanCurve();
    double low = mean.stream().mapToDouble(v -> v).min().orElse(0);
    double high = mean.stream().mapToDouble(v -> v).max().orElse(0);
    boolean effects = evaluation.sideEffects() != null;
    lines.add("");
    lines.add(
        "multiplier  propensity        sd  "
            + " ".repeat(BAR)
            + (effects ? "  KL on the neutral text, nats" : ""));
    for (int m = 0; m < mean.size(); m++) {
      double multiplier = evaluation.multipliers().get(m);
      double share = high > low ? (mean.get(m) - low) / (high - low) : 0;
      lines.add(
          "%10s  %10s  %8s  %-24s  %s"
              .formatted(
                  Figures.multiplier(multiplier),
                  Figures.of(mean.get(m)),
                  Figures.of(evaluation.stdCurve().get(m)),
                  "▪".repeat((int) Math.round(share * BAR)),
                  effects ? kl(evaluation, multiplier) : "")
              .stripTrailing());
    }
    if (effects) {
      lines.add(SideEffectNote.of(evaluation.sideEffects()));
    }
  }

  private static String kl(Evaluation evaluation, double multiplier) {
    return evaluation.sideEffects().points().stream()
        .filter(point -> point.multiplier() == multiplier)
        .map(KlPoint::kl)
        .map(Figures::of)
        .findFirst()
        .orElse("");
  }

  private static void sweep(Sweep sweep, List<String> lines) {
    lines.add("");
    lines.add("mean slope on the validation items, the best sites:");
    sweep.cells().stream()
        .sorted(Comparator.comparingDouble((Cell cell) -> -cell.slopes().mean()))
        .limit(BEST_SITES)
        .forEach(cell -> lines.add(site(cell, cell.equals(sweep.best()))));
  }

  private static String site(Cell cell, boolean best) {
    return "  %-17s layer %-3d %10s   anti-steerable %s%s"
        .formatted(
            cell.hook(),
            cell.layer(),
            Figures.of(cell.slopes().mean()),
            Figures.share(cell.slopes().antiSteerable()),
            best ? "   ← judged by the test items" : "");
  }

  private static void generation(Generation generation, List<String> lines) {
    lines.add("");
    lines.add(generation.prompt().replace("\n", "\\n"));
    generation
        .continuations()
        .forEach(
            c ->
                lines.add(
                    "%10s  %s"
                        .formatted(
                            Figures.multiplier(c.multiplier()), c.text().replace("\n", "\\n"))));
  }
}
