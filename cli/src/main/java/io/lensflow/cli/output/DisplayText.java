package io.lensflow.cli.output;

/** Token texts made fit for one line of a terminal. */
final class DisplayText {
  private static final int ESCAPE = 0x1b;

  private DisplayText() {}

  /** A token with its spaces, line ends and other invisible characters made visible. */
  static String visible(String token) {
    StringBuilder text = new StringBuilder();
    token
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case ' ' -> text.append('·');
                case '\n' -> text.append('↵');
                case '\t' -> text.append('⇥');
                default -> {
                  if (c == ESCAPE || Character.isISOControl(c) || invisible(c)) {
                    text.append('�');
                  } else {
                    text.appendCodePoint(c);
                  }
                }
              }
            });
    return text.toString();
  }

  private static boolean invisible(int c) {
    int type = Character.getType(c);
    return type == Character.FORMAT
        || type == Character.SURROGATE
        || type == Character.PRIVATE_USE
        || type == Character.UNASSIGNED
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR;
  }

  /** Columns that a text takes: 2 for East Asian and emoji, 0 for combining marks, else 1. */
  static int width(String text) {
    return text.codePoints().map(DisplayText::width).sum();
  }

  private static int width(int c) {
    int type = Character.getType(c);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    boolean wide =
        (c >= 0x1100 && c <= 0x115f)
            || (c >= 0x2e80 && c <= 0xa4cf)
            || (c >= 0xac00 && c <= 0xd7a3)
            || (c >= 0xf900 && c <= 0xfaff)
            || (c >= 0xfe30 && c <= 0xfe6f)
            || (c >= 0xff00 && c <= 0xff60)
            || (c >= 0x1f300 && c <= 0x1faff)
            || (c >= 0x20000 && c <= 0x3fffd);
    return wide ? 2 : 1;
  }

  /** A text cut or padded on the right to exactly so many columns. */
  static String fit(String text, int columns) {
    if (width(text) <= columns) {
      return text + " ".repeat(columns - width(text));
    }
    StringBuilder cut = new StringBuilder();
    int used = 0;
    for (int c : text.codePoints().toArray()) {
      if (used + width(c) > columns - 1) {
        break;
      }
      cut.appendCodePoint(c);
      used += width(c);
    }
    return cut + "…" + " ".repeat(columns - 1 - used);
  }
}
