package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation.Cell;
import io.lensflow.steering.evaluate.Evaluation.Sweep;
import io.lensflow.steering.report.Svg.Anchor;
import io.lensflow.steering.report.Svg.Point;
import java.util.List;

/** Mean slope over layers and hook points: blue with the vector, orange against it. */
final class SweepHeatMap {
  private static final double LEFT = 150;
  private static final double TOP = 52;
  private static final double ROW = 30;
  private static final double ROOM = 720;

  private SweepHeatMap() {}

  static String of(Sweep sweep) {
    List<Integer> layers = sweep.cells().stream().map(Cell::layer).distinct().sorted().toList();
    List<String> hooks = sweep.cells().stream().map(Cell::hook).distinct().toList();
    double column = Math.max(22, Math.min(56, (ROOM - LEFT) / layers.size()));
    double most =
        sweep.cells().stream().mapToDouble(c -> Math.abs(c.slopes().mean())).max().orElse(0);
    Svg svg =
        new Svg(
            LEFT + column * layers.size() + 20,
            TOP + ROW * hooks.size() + 44,
            "Mean slope by layer and hook point");
    svg.text(new Point(12, 20), "Mean slope on the validation items", Anchor.START, 14, Svg.INK);
    for (int y = 0; y < hooks.size(); y++) {
      svg.text(new Point(LEFT - 8, TOP + ROW * y + 19), hooks.get(y), Anchor.END, 11, Svg.INK);
    }
    for (int x = 0; x < layers.size(); x++) {
      svg.text(
          new Point(LEFT + column * (x + 0.5), TOP - 7),
          layers.get(x).toString(),
          Anchor.MIDDLE,
          11,
          Svg.FAINT);
    }
    for (Cell cell : sweep.cells()) {
      Point corner =
          new Point(
              LEFT + column * layers.indexOf(cell.layer()), TOP + ROW * hooks.indexOf(cell.hook()));
      draw(svg, cell, corner, column, most == 0 ? 0 : cell.slopes().mean() / most);
      if (cell.equals(sweep.best())) {
        svg.outline(new Point(corner.x() + 1, corner.y() + 1), column - 2, ROW - 2, Svg.INK);
      }
    }
    svg.text(
        new Point(LEFT, TOP + ROW * hooks.size() + 22),
        "layer →   framed: the site that the test items then judged",
        Anchor.START,
        11,
        Svg.FAINT);
    return svg.toString();
  }

  private static void draw(Svg svg, Cell cell, Point corner, double column, double strength) {
    double mean = cell.slopes().mean();
    svg.box(
        corner,
        column - 1,
        ROW - 1,
        colour(strength),
        "%s of layer %d: mean slope %s, anti-steerable %s, norm %s"
            .formatted(
                cell.hook(),
                cell.layer(),
                Figures.of(mean),
                Figures.share(cell.slopes().antiSteerable()),
                Figures.of(cell.norm())));
    if (column >= 40) {
      svg.text(
          new Point(corner.x() + column / 2, corner.y() + 19),
          Figures.hundredths(mean),
          Anchor.MIDDLE,
          10.5,
          Math.abs(strength) > 0.6 ? "#ffffff" : Svg.INK);
    }
  }

  /** From white at 0 to blue at 1 and orange at −1. */
  private static String colour(double strength) {
    int[] end = strength >= 0 ? new int[] {11, 98, 196} : new int[] {194, 96, 10};
    double share = Math.min(1, Math.abs(strength));
    StringBuilder colour = new StringBuilder("#");
    for (int channel : end) {
      colour.append("%02x".formatted((int) Math.round(247 + (channel - 247) * share)));
    }
    return colour.toString();
  }
}
