package io.lensflow.bench.figure;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Shows findings as a table and keeps them as JSON. Stateless. */
public final class Report {
  /** More are in the JSON file only. */
  private static final int MOST_SAMPLES = 12;

  private static final String LINE = "%-27s %9s %-7s %-20s %-12s %s%n";
  private static final int SAYS_WIDTH = 96;
  private static final String INDENT = "    ";

  private Report() {}

  /** The table's head. */
  public static void head(PrintStream out) {
    out.printf(Locale.ROOT, LINE, "figure", "median", "unit", "held to", "", "samples");
  }

  /** One finding: its line of the table, and below it what it says. */
  public static void print(PrintStream out, Finding finding) {
    Figure figure = finding.figure();
    out.printf(
        Locale.ROOT,
        LINE,
        figure.name(),
        number(figure.value()),
        figure.unit(),
        finding.bound(),
        finding.bound().verdict(figure.value()),
        samples(figure.samples()));
    wrap(out, finding.says());
  }

  private static String samples(List<Double> all) {
    String shown =
        all.stream().limit(MOST_SAMPLES).map(Report::number).collect(Collectors.joining(" "));
    return all.size() <= MOST_SAMPLES ? shown : shown + " … %d in all".formatted(all.size());
  }

  private static void wrap(PrintStream out, String says) {
    StringBuilder line = new StringBuilder();
    for (String word : says.split(" ")) {
      if (line.length() > 0 && line.length() + 1 + word.length() > SAYS_WIDTH) {
        out.println(INDENT + line);
        line.setLength(0);
      }
      line.append(line.length() == 0 ? "" : " ").append(word);
    }
    out.println(INDENT + line);
  }

  /** Three digits that say something. */
  static String number(double value) {
    double magnitude = Math.abs(value);
    return String.format(
        Locale.ROOT, magnitude >= 100 ? "%.0f" : magnitude >= 10 ? "%.1f" : "%.3f", value);
  }

  /** The names of figures with what they mean and are held to. */
  public static void list(PrintStream out, List<Definition> definitions) {
    for (Definition definition : definitions) {
      out.printf(
          Locale.ROOT,
          "%-27s %-18s %s%n",
          definition.name(),
          definition.bound(),
          definition.meaning());
    }
  }

  /**
   * Writes {@code {"machine": …, "versions": …, "figures": [{name, value, unit, samples}]}}.
   *
   * @param versions what was measured, by name
   */
  public static void write(Path file, Map<String, Object> versions, List<Figure> figures)
      throws IOException {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("machine", Machine.describe());
    document.put("versions", versions);
    document.put("figures", figures);
    new ObjectMapper()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .writeValue(file.toFile(), document);
  }
}
