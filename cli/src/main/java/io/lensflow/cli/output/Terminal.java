package io.lensflow.cli.output;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Where output goes: how wide it is and whether it understands colour. Immutable.
 *
 * <p>Java cannot ask for a terminal's width, and before 22 not whether there is one; the launcher
 * can, and says it in the system property {@value #COLUMNS}, which is absent where standard output
 * is no terminal.
 *
 * @param columns width in characters
 * @param colour whether to write ANSI colours
 */
public record Terminal(int columns, boolean colour) {
  /** Width of the terminal on standard output; set by {@code bin/lensflow}. */
  public static final String COLUMNS = "lensflow.terminal.columns";

  /** Width of the terminal on standard error; set by {@code bin/lensflow} if there is one. */
  public static final String ERROR_COLUMNS = "lensflow.terminal.error-columns";

  private static final int DEFAULT_COLUMNS = 100;
  private static final int LEAST_COLUMNS = 40;

  /** When to write colours. */
  public enum ColourMode {
    AUTO,
    ALWAYS,
    NEVER
  }

  /** The terminal as the launcher, the environment and the user describe it. */
  public static Terminal detect(ColourMode mode) {
    return detect(mode, System.getProperty(COLUMNS), System.getenv());
  }

  static Terminal detect(ColourMode mode, String columns, Map<String, String> environment) {
    boolean terminal = columns != null;
    boolean refused =
        !environment.getOrDefault("NO_COLOR", "").isEmpty()
            || environment.getOrDefault("TERM", "").equals("dumb");
    boolean colour =
        switch (mode) {
          case ALWAYS -> true;
          case NEVER -> false;
          case AUTO -> terminal && !refused;
        };
    return new Terminal(width(columns), colour);
  }

  /** Width of the terminal on standard error; empty where that is none. */
  public static OptionalInt errorColumns() {
    String columns = System.getProperty(ERROR_COLUMNS);
    return columns == null ? OptionalInt.empty() : OptionalInt.of(width(columns));
  }

  private static int width(String columns) {
    try {
      return columns == null
          ? DEFAULT_COLUMNS
          : Math.max(LEAST_COLUMNS, Integer.parseInt(columns.strip()));
    } catch (NumberFormatException e) {
      return DEFAULT_COLUMNS;
    }
  }

  /** Standard output in UTF-8, whatever the locale says: tokens hold every script. */
  public static PrintStream standardOutput() {
    return new PrintStream(System.out, true, StandardCharsets.UTF_8);
  }

  /** Standard error in UTF-8. */
  public static PrintStream standardError() {
    return new PrintStream(System.err, true, StandardCharsets.UTF_8);
  }
}
