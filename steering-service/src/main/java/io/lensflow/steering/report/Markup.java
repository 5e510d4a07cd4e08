package io.lensflow.steering.report;

/** Text that stands in markup: data sets and models write what they like. Stateless. */
final class Markup {
  private Markup() {}

  /** As HTML and XML show it, in elements and in quoted attributes. */
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isXml(c) ? c : 0xFFFD);
              }
            });
    return escaped.toString();
  }

  /** Characters that XML 1.0 can hold: one control character would spoil a whole picture. */
  private static boolean isXml(int c) {
    return c >= 0x20 && c < 0xD800
        || c == '\n'
        || c == '\t'
        || c == '\r'
        || c > 0xDFFF && c < 0xFFFE
        || c > 0xFFFF;
  }
}
