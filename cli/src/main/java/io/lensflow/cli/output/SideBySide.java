package io.lensflow.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Two blocks of lines next to each other. */
public final class SideBySide {
  private static final Pattern ANSI = Pattern.compile("\u001b\\[[0-9;]*m");

  private SideBySide() {}

  /** Joins two blocks, with so many columns between them; the shorter one is filled up. */
  public static List<String> join(List<String> left, List<String> right, int gap) {
    int width = left.stream().mapToInt(SideBySide::width).max().orElse(0);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < Math.max(left.size(), right.size()); i++) {
      String one = i < left.size() ? left.get(i) : "";
      String other = i < right.size() ? right.get(i) : "";
      lines.add((one + " ".repeat(width - width(one) + gap) + other).stripTrailing());
    }
    return lines;
  }

  /** Columns that a line takes; colours take none. */
  static int width(String line) {
    return DisplayText.width(ANSI.matcher(line).replaceAll(""));
  }
}
