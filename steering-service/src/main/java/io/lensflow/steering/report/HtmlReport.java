package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.Control;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import io.lensflow.steering.evaluate.Evaluation.Item;
import io.lensflow.steering.evaluate.Evaluation.KlPoint;
import io.lensflow.steering.evaluate.Evaluation.SideEffects;
import io.lensflow.steering.evaluate.Slopes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * An evaluation as one HTML file that needs nothing else: styles and pictures are inside, no
 * script, nothing is fetched. Texts of data sets and models are shown as text, whatever they hold.
 */
public final class HtmlReport {
  /** Items shown in full at each end. */
  private static final int SHOWN = 5;

  /** A vector of which more than this lies along the labels deserves a warning. */
  private static final double LABEL_SHARE_WARNING = 0.3;

  private final Evaluation evaluation;
  private final Page page = new Page();

  private HtmlReport(Evaluation evaluation) {
    this.evaluation = evaluation;
  }

  /** The file's content, to be stored as UTF-8. */
  public static String of(Evaluation evaluation) {
    return new HtmlReport(evaluation).render();
  }

  private String render() {
    page.raw("<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n")
        .raw("<meta name='viewport' content='width=device-width, initial-scale=1'>\n")
        .raw("<title>" + Markup.escape(evaluation.vector()) + ": steerability</title>\n")
        .raw("<style>\n" + css() + "</style>\n</head>\n<body>\n<main>\n")
        .raw("<h1>" + Markup.escape(evaluation.vector()) + "</h1>\n")
        .paragraph("sub", subtitle());
    tiles();
    pictures();
    labels();
    controls();
    if (evaluation.sideEffects() != null) {
      sideEffects(evaluation.sideEffects());
    }
    if (evaluation.sweep() != null) {
      sweep();
    }
    generations();
    items();
    facts();
    return page.raw("</main>\n</body>\n</html>\n").toString();
  }

  private String subtitle() {
    return "%s on model %s, %d test items of %s, prompts as %s, steered at %s"
        .formatted(
            FactList.site(evaluation),
            evaluation.model(),
            evaluation.test().size(),
            evaluation.dataset(),
            evaluation.promptFormat(),
            evaluation.positions());
  }

  private void tiles() {
    page.raw("<div class='tiles'>\n")
        .tile(Figures.of(evaluation.meanSlope()), "mean slope")
        .tile(
            Figures.of(evaluation.meanSlopeInterval()),
            "95 % interval of the mean slope (bootstrap)")
        .tile(Figures.of(evaluation.stdSlope()), "standard deviation of slopes")
        .tile(Figures.share(evaluation.antiSteerableFraction()), "anti-steerable items")
        .tile(Figures.of(evaluation.r2()), "R² of the mean curve's line")
        .tile(Figures.of(evaluation.spearman()), "Spearman of the mean curve")
        .raw("</div>\n");
    if (evaluation.labelShare() != null && evaluation.labelShare() > LABEL_SHARE_WARNING) {
      page.paragraph(
          "warn",
          "Label share %s: much of this vector only says which letter to answer."
              .formatted(Figures.of(evaluation.labelShare())));
    }
    evaluation.warnings().forEach(warning -> page.paragraph("warn", warning));
  }

  private void pictures() {
    page.section("How the items move")
        .raw("<div class='pair'>\n")
        .raw(CurvePlot.of(evaluation))
        .raw(SlopeHistogram.of(evaluation))
        .raw("</div>\n")
        .end();
  }

  private void labels() {
    page.section("Slopes by label")
        .table(
            List.of("matching → other", "items", "mean slope", "sd", "anti-steerable"),
            evaluation.byLabel().stream()
                .map(
                    group ->
                        row(
                            "%s → %s".formatted(quoted(group.matching()), quoted(group.other())),
                            group.slopes()))
                .toList())
        .note(
            "A vector that only says one of the letters lifts the items of one order and lowers those"
                + " of the other.")
        .end();
  }

  private static String quoted(String token) {
    return "“" + token + "”";
  }

  private static List<String> row(String name, Slopes slopes) {
    return List.of(
        name,
        Integer.toString(slopes.items()),
        Figures.of(slopes.mean()),
        Figures.of(slopes.deviation()),
        Figures.share(slopes.antiSteerable()));
  }

  private void controls() {
    if (evaluation.controls().isEmpty()) {
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "the vector",
            Figures.of(evaluation.vectorNorm()),
            "",
            "1",
            Figures.of(evaluation.meanSlope()),
            Figures.of(evaluation.meanSlopeInterval()),
            Figures.of(evaluation.stdSlope()),
            Figures.share(evaluation.antiSteerableFraction())));
    for (Control control : evaluation.controls()) {
      rows.add(
          List.of(
              ControlNames.of(control),
              Figures.of(control.norm()),
              control.builtNorm() == null ? "" : Figures.of(control.builtNorm()),
              Figures.of(control.cosine()),
              Figures.of(control.slopes().mean()),
              Figures.of(control.meanSlopeInterval()),
              Figures.of(control.slopes().deviation()),
              Figures.share(control.slopes().antiSteerable())));
    }
    page.section("Controls of equal norm")
        .table(
            List.of(
                "vector",
                "norm",
                "norm as built",
                "cosine",
                "mean slope",
                "95 % interval",
                "sd",
                "anti-steerable"),
            rows)
        .note(
            "Shuffled labels: built like the vector, but half of the training items, drawn at random,"
                + " have their two answers exchanged; then scaled to the vector’s norm, from the one as built. It is one draw: of few items its slope scatters widely.")
        .end();
  }

  private void sideEffects(SideEffects effects) {
    page.section("Side effects")
        .raw("<div class='pair'>\n")
        .raw(SideEffectPlot.of(evaluation))
        .raw("<div>\n")
        .table(
            List.of("multiplier", "mean KL, nats", "largest of a row", "mean propensity"),
            effects.points().stream().map(this::klRow).toList())
        .raw("</div>\n</div>\n")
        .note(SideEffectNote.of(effects))
        .end();
  }

  private List<String> klRow(KlPoint point) {
    int m = evaluation.multipliers().indexOf(point.multiplier());
    return List.of(
        Figures.multiplier(point.multiplier()),
        Figures.of(point.kl()),
        Figures.of(point.max()),
        m < 0 ? "–" : Figures.of(evaluation.meanCurve().get(m)));
  }

  private void sweep() {
    page.section("Layers and hook points")
        .raw("<div class='scroll'>" + SweepHeatMap.of(evaluation.sweep()) + "</div>\n")
        .note(
            "Built on %d training items, judged on %d validation items; everything else on this page"
                    .formatted(evaluation.train().size(), evaluation.validation().size())
                + " is about the %d test items, which had no part in the choice. Blank: the vector is zero there."
                    .formatted(evaluation.test().size()))
        .end();
  }

  private void generations() {
    if (evaluation.generations().isEmpty()) {
      return;
    }
    page.section("Side by side");
    for (Generation generation : evaluation.generations()) {
      page.raw("<div class='item'><pre>" + Markup.escape(generation.prompt()) + "</pre></div>\n")
          .table(
              List.of("multiplier", "\"greedy text"),
              generation.continuations().stream()
                  .map(c -> List.of(Figures.multiplier(c.multiplier()), c.text()))
                  .toList());
    }
    page.end();
  }

  private void items() {
    List<Item> ordered =
        evaluation.items().stream()
            .sorted(Comparator.comparingDouble(Item::slope).reversed())
            .toList();
    int shown = Math.min(SHOWN, (ordered.size() + 1) / 2);
    page.section("The most steerable items");
    ordered.stream().limit(shown).forEach(this::item);
    page.end().section("The least steerable items");
    for (int i = ordered.size() - 1; i >= Math.max(shown, ordered.size() - shown); i--) {
      item(ordered.get(i));
    }
    page.end();
  }

  private void item(Item item) {
    page.raw("<div class='item%s'>".formatted(item.slope() < 0 ? " against" : ""))
        .raw("<b>slope " + Figures.of(item.slope()) + "</b> · ")
        .raw("item %d, line %d\n".formatted(item.number(), item.line()))
        .raw("<pre>" + Markup.escape(item.question()) + "</pre>")
        .raw("matching: <b>" + Markup.escape(item.matching()) + "</b> · other: ")
        .raw(Markup.escape(item.other()) + "</div>\n");
  }

  private void facts() {
    page.section("What was measured").facts(FactList.of(evaluation)).end();
  }

  private static String css() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
