package io.lensflow.text.jinja;

/** Text made wider, by the methods of {@code str} that do it. */
final class Pad {
  private static final int MAX_WIDTH = 10_000;

  private Pad() {}

  static String center(String s, Arguments.Bound given) {
    int missing = missing(s, given.integer(0));
    // CPython puts the odd blank left where the width is odd, and right where it is even.
    int left = missing / 2 + (missing & given.integer(0) & 1);
    return fill(given, left) + s + fill(given, missing - left);
  }

  static String left(String s, Arguments.Bound given) {
    return s + fill(given, missing(s, given.integer(0)));
  }

  static String right(String s, Arguments.Bound given) {
    return fill(given, missing(s, given.integer(0))) + s;
  }

  static String zeros(String s, int width) {
    int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
    return s.substring(0, sign) + "0".repeat(missing(s, width)) + s.substring(sign);
  }

  private static String fill(Arguments.Bound given, int count) {
    String fill = given.text(1, " ");
    if (Values.length(fill) != 1) {
      throw new JinjaException("The fill character must be exactly one character long");
    }
    return fill.repeat(count);
  }

  private static int missing(String s, int width) {
    if (width > MAX_WIDTH) {
      throw new JinjaException("a width of more than %d is refused".formatted(MAX_WIDTH));
    }
    return Math.max(0, width - Values.length(s));
  }
}
