package io.lensflow.steering.report;

import io.lensflow.steering.report.Svg.Anchor;
import io.lensflow.steering.report.Svg.Point;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A plot's frame: both axes with their grid, names and a legend. Not thread-safe. */
final class Plot {
  static final double WIDTH = 640;
  static final double HEIGHT = 340;
  private static final double LEFT = 66;
  private static final double RIGHT = 18;
  private static final double TOP = 46;
  private static final double BOTTOM = 52;
  private static final int TICKS_Y = 6;

  private final Svg svg;
  private final Axis x;
  private final Axis y;
  private double legend = LEFT;

  /**
   * @param x values along x, low and high
   * @param y values along y, low and high
   */
  Plot(String title, double[] x, double[] y) {
    this.svg = new Svg(WIDTH, HEIGHT, title);
    this.x = Axis.around(x[0], x[1], 0.02, LEFT, WIDTH - RIGHT);
    this.y = Axis.around(y[0], y[1], 0.06, HEIGHT - BOTTOM, TOP);
    svg.text(new Point(LEFT, 18), title, Anchor.START, 14, Svg.INK);
  }

  /** Grid, labels and names of both axes. */
  Plot axes(String nameX, List<Double> ticksX, String nameY) {
    for (double tick : y.ticks(TICKS_Y)) {
      horizontal(tick, Svg.GRID, 1);
      svg.text(
          new Point(LEFT - 8, y.at(tick) + 4), y.label(tick, TICKS_Y), Anchor.END, 11, Svg.FAINT);
    }
    for (double tick : ticksX) {
      vertical(tick, Svg.GRID);
      svg.text(
          new Point(x.at(tick), HEIGHT - BOTTOM + 17),
          Figures.multiplier(tick),
          Anchor.MIDDLE,
          11,
          Svg.FAINT);
    }
    svg.text(new Point((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14), nameX, Anchor.MIDDLE, 12, Svg.INK);
    svg.upwards(new Point(18, (TOP + HEIGHT - BOTTOM) / 2), nameY, 12, Svg.INK);
    return this;
  }

  /** Round values for an axis of numbers. */
  List<Double> roundX(int count) {
    return x.ticks(count);
  }

  /** A line across at a value of y, if that is in range. */
  Plot horizontal(double value, String colour, double stroke) {
    if (value >= y.low() && value <= y.high()) {
      svg.line(new Point(LEFT, y.at(value)), new Point(WIDTH - RIGHT, y.at(value)), colour, stroke);
    }
    return this;
  }

  /** A line up at a value of x. */
  Plot vertical(double value, String colour) {
    svg.line(new Point(x.at(value), TOP), new Point(x.at(value), HEIGHT - BOTTOM), colour, 1);
    return this;
  }

  /** A curve with its name in the legend. */
  Plot curve(String name, List<Double> xs, List<Double> ys, String colour, boolean main) {
    List<Point> points = points(xs, ys);
    svg.path(points, colour, main ? 2.5 : 1.6, !main);
    if (main) {
      points.forEach(point -> svg.dot(point, 3.5, colour));
    }
    return named(name, colour);
  }

  /** The area between two curves. */
  Plot band(List<Double> xs, List<Double> low, List<Double> high, String colour) {
    List<Point> outline = new ArrayList<>(points(xs, high));
    List<Point> back = new ArrayList<>(points(xs, low));
    Collections.reverse(back);
    outline.addAll(back);
    svg.area(outline, colour, 0.14);
    return this;
  }

  /** A bar from 0 up, over a range of x. */
  Plot bar(double fromX, double toX, double height, String colour, String hint) {
    double left = x.at(fromX) + 0.5;
    svg.box(
        new Point(left, y.at(height)),
        Math.max(1, x.at(toX) - left - 0.5),
        y.at(0) - y.at(height),
        colour,
        hint);
    return this;
  }

  /** Another line of the legend. */
  Plot named(String name, String colour) {
    svg.box(new Point(legend, 29), 14, 4, colour, "");
    svg.text(new Point(legend + 19, 35), name, Anchor.START, 11, Svg.FAINT);
    legend += 34 + 6.1 * name.length();
    return this;
  }

  private List<Point> points(List<Double> xs, List<Double> ys) {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < xs.size(); i++) {
      points.add(new Point(x.at(xs.get(i)), y.at(ys.get(i))));
    }
    return points;
  }

  @Override
  public String toString() {
    return svg.toString();
  }
}
