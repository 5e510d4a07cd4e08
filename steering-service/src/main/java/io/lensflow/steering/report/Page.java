package io.lensflow.steering.report;

import java.util.List;
import java.util.stream.Collectors;

/** A page in the making: every text is escaped on its way in. Not thread-safe. */
final class Page {
  private final StringBuilder html = new StringBuilder();

  /** Opens a section under a heading. */
  Page section(String heading) {
    return raw("<section>\n<h2>" + Markup.escape(heading) + "</h2>\n");
  }

  /** Closes what {@link #section} opened. */
  Page end() {
    return raw("</section>\n");
  }

  /** A paragraph of small print. */
  Page note(String text) {
    return paragraph("note", text);
  }

  /** A paragraph of a style. */
  Page paragraph(String style, String text) {
    return raw("<p class='%s'>%s</p>\n".formatted(style, Markup.escape(text)));
  }

  /** A figure with its name. */
  Page tile(String figure, String name) {
    return raw(
        "<div class='tile'><b>%s</b><span>%s</span></div>\n"
            .formatted(Markup.escape(figure), Markup.escape(name)));
  }

  /**
   * A table.
   *
   * @param head names of the columns; one that begins with {@code "} (dropped) holds long texts
   */
  Page table(List<String> head, List<List<String>> rows) {
    raw("<div class='scroll'><table><thead><tr>");
    head.forEach(
        name ->
            raw(
                "<th%s>%s</th>"
                    .formatted(style(name), Markup.escape(name.replaceFirst("^\"", "")))));
    raw("</tr></thead><tbody>\n");
    for (List<String> row : rows) {
      raw("<tr>");
      for (int i = 0; i < row.size(); i++) {
        raw("<td%s>%s</td>".formatted(style(head.get(i)), Markup.escape(row.get(i))));
      }
      raw("</tr>\n");
    }
    return raw("</tbody></table></div>\n");
  }

  private static String style(String name) {
    return name.startsWith("\"") ? " class='text'" : "";
  }

  /** Names and values, one pair a line. */
  Page facts(List<List<String>> pairs) {
    return raw(
        pairs.stream()
            .map(
                pair ->
                    "<dt>%s</dt><dd>%s</dd>\n"
                        .formatted(Markup.escape(pair.get(0)), Markup.escape(pair.get(1))))
            .collect(Collectors.joining("", "<dl>\n", "</dl>\n")));
  }

  /** Markup of our own: pictures and what holds things together. */
  Page raw(String markup) {
    html.append(markup);
    return this;
  }

  @Override
  public String toString() {
    return html.toString();
  }
}
