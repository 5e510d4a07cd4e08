package io.lensflow.cli.output;

import io.lensflow.hub.Bytes;
import java.io.PrintStream;

/**
 * A line of a terminal with a bar in it, drawn over and over: {@code SmolLM2 [####....] 42 % of 269
 * MB}. Not thread-safe.
 */
final class BarLine {
  private static final int LEAST_BAR = 10;
  private static final int LONGEST_BAR = 40;

  private final PrintStream out;
  private final int columns;
  private final int widestText;
  private boolean drawn;

  /**
   * @param out the terminal
   * @param columns its width in characters
   * @param widestText room for what stands behind the bar, so that it does not change its width
   */
  BarLine(PrintStream out, int columns, int widestText) {
    this.out = out;
    this.columns = columns;
    this.widestText = widestText;
  }

  /**
   * Draws it.
   *
   * @param name what stands before the bar
   * @param bytes all of them
   * @param done bytes of them that have come
   * @param more what stands behind, empty for nothing
   */
  void draw(String name, long bytes, long done, String more) {
    draw(name, bytes == 0 ? 1 : (double) done / bytes, Bytes.text(bytes), more);
  }

  /**
   * Draws it, whatever it counts.
   *
   * @param name what stands before the bar
   * @param share how much of it is done, 0 … 1
   * @param whole all of it, in words
   * @param more what stands behind, empty for nothing
   */
  void draw(String name, double share, String whole, String more) {
    String before = name + " ";
    String after = " %3d %% of %s".formatted((int) Math.floor(100 * share), whole);
    if (!more.isEmpty()) {
      after += ", " + more;
    }
    int room = columns - 1 - before.length() - widestText - 2;
    print(before + (room < LEAST_BAR ? "" : bar(share, Math.min(room, LONGEST_BAR))) + after);
    drawn = true;
  }

  private static String bar(double share, int width) {
    int filled = (int) Math.floor(share * width);
    return "[" + "#".repeat(filled) + ".".repeat(width - filled) + "]";
  }

  /** As wide as the terminal less one: in the last column some terminals begin a new line. */
  private void print(String line) {
    out.print(
        "\r"
            + (line.length() >= columns
                ? line.substring(0, columns - 1)
                : line + " ".repeat(columns - 1 - line.length())));
    out.flush();
  }

  /** Whether it stands there. */
  boolean isDrawn() {
    return drawn;
  }

  /** Ends the line, so that what comes next stands below it. */
  void end() {
    if (drawn) {
      out.println();
    }
    drawn = false;
  }

  /** Takes it away, so that what comes next stands in its place. */
  void erase() {
    if (drawn) {
      print("");
      out.print("\r");
      out.flush();
    }
    drawn = false;
  }
}
