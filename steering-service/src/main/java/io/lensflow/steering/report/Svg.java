package io.lensflow.steering.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A picture in the making: SVG 1.1 with attributes only, so that it looks the same inside a page
 * and in a file of its own. Units are pixels, y grows downwards. Not thread-safe.
 */
final class Svg {
  static final String INK = "#24292f";
  static final String FAINT = "#6e7781";
  static final String GRID = "#e6e8eb";
  static final String BLUE = "#0b62c4";
  static final String ORANGE = "#c2600a";
  static final String GREY = "#7d8590";

  private final StringBuilder body = new StringBuilder();
  private final double width;
  private final double height;
  private final String title;

  /** A point. */
  record Point(double x, double y) {}

  /** Where a text stands relative to its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /**
   * @param title what the picture shows, for those who do not see it
   */
  Svg(double width, double height, String title) {
    this.width = width;
    this.height = height;
    this.title = title;
  }

  /** A number as short as pictures need it. */
  static String number(double value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    return text.endsWith(".00") ? text.substring(0, text.length() - 3) : text;
  }

  Svg line(Point from, Point to, String colour, double stroke) {
    return add(
        "<line x1='%s' y1='%s' x2='%s' y2='%s' stroke='%s' stroke-width='%s'/>",
        number(from.x()), number(from.y()), number(to.x()), number(to.y()), colour, number(stroke));
  }

  /** A line through points. */
  Svg path(List<Point> points, String colour, double stroke, boolean dashed) {
    return add(
        "<polyline points='%s' fill='none' stroke='%s' stroke-width='%s' stroke-linejoin='round'%s/>",
        join(points), colour, number(stroke), dashed ? " stroke-dasharray='6 4'" : "");
  }

  /** A filled shape. */
  Svg area(List<Point> outline, String colour, double opacity) {
    return add(
        "<polygon points='%s' fill='%s' fill-opacity='%s'/>",
        join(outline), colour, number(opacity));
  }

  Svg dot(Point at, double radius, String colour) {
    return add(
        "<circle cx='%s' cy='%s' r='%s' fill='%s'/>",
        number(at.x()), number(at.y()), number(radius), colour);
  }

  /**
   * A rectangle.
   *
   * @param hint shown by a pointer that rests on it; empty for none
   */
  Svg box(Point corner, double boxWidth, double boxHeight, String colour, String hint) {
    return add(
        "<rect x='%s' y='%s' width='%s' height='%s' fill='%s'>%s</rect>",
        number(corner.x()),
        number(corner.y()),
        number(boxWidth),
        number(boxHeight),
        colour,
        hint.isEmpty() ? "" : "<title>" + Markup.escape(hint) + "</title>");
  }

  /** The outline of a rectangle. */
  Svg outline(Point corner, double boxWidth, double boxHeight, String colour) {
    return add(
        "<rect x='%s' y='%s' width='%s' height='%s' fill='none' stroke='%s' stroke-width='2'/>",
        number(corner.x()), number(corner.y()), number(boxWidth), number(boxHeight), colour);
  }

  Svg text(Point at, String text, Anchor anchor, double size, String colour) {
    return add(
        "<text x='%s' y='%s' text-anchor='%s' font-size='%s' fill='%s'>%s</text>",
        number(at.x()),
        number(at.y()),
        anchor.name().toLowerCase(Locale.ROOT),
        number(size),
        colour,
        Markup.escape(text));
  }

  /** A text that runs upwards, for the name of a vertical axis. */
  Svg upwards(Point at, String text, double size, String colour) {
    return add(
        "<text transform='translate(%s %s) rotate(-90)' text-anchor='middle' font-size='%s' fill='%s'>%s</text>",
        number(at.x()), number(at.y()), number(size), colour, Markup.escape(text));
  }

  private Svg add(String format, Object... values) {
    body.append(String.format(Locale.ROOT, format, values)).append('\n');
    return this;
  }

  private static String join(List<Point> points) {
    return points.stream()
        .map(p -> number(p.x()) + "," + number(p.y()))
        .collect(Collectors.joining(" "));
  }

  @Override
  public String toString() {
    return """
        <svg xmlns='http://www.w3.org/2000/svg' width='%1$s' height='%2$s' viewBox='0 0 %1$s %2$s' \
        role='img' font-family='system-ui, sans-serif'>
        <title>%3$s</title>
        <rect width='%1$s' height='%2$s' fill='#ffffff'/>
        %4$s</svg>
        """
        .formatted(number(width), number(height), Markup.escape(title), body);
  }
}
