package io.lensflow.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a build made, for people. Stateless, thread-safe. */
public final class BuildTable {
  private static final int MAX_SKIPPED = 10;

  private BuildTable() {}

  /** The result of a job as lines: what was built of what, every site, every warning. */
  public static List<String> render(JsonNode result) {
    List<String> lines = new ArrayList<>();
    JsonNode version = result.path("version");
    lines.add(
        "%s of %s: %s of %d items of %s (%s, %s)"
            .formatted(
                result.path("name").asText()
                    + (version.isIntegralNumber() ? "@" + version.asInt() : " (not published)"),
                result.path("model").asText(),
                method(result),
                result.path("pairCount").asInt(),
                result.path("dataset").asText(),
                result.path("items").asText(),
                result.path("format").asText()));
    lines.add("layer  hook point              norm  label share");
    for (JsonNode site : result.path("sites")) {
      JsonNode share = site.path("labelShare");
      lines.add(
          String.format(
              Locale.ROOT,
              "%5d  %-16s  %10.4f  %11s",
              site.path("layer").asInt(),
              site.path("hookPoint").asText(),
              site.path("norm").asDouble(),
              share.isNumber()
                  ? String.format(Locale.ROOT, "%.3f", share.asDouble())
                  : "not known"));
    }
    addSkipped(result, lines);
    result.path("warnings").forEach(warning -> lines.add("warning: " + warning.asText()));
    return lines;
  }

  private static String method(JsonNode result) {
    String method = result.path("method").asText();
    return method.equals("MEAN_DIFFERENCE")
        ? method + ", balance " + result.path("balance").asText() + ","
        : method;
  }

  private static void addSkipped(JsonNode result, List<String> lines) {
    int count = result.path("skippedCount").asInt();
    if (count == 0) {
      return;
    }
    lines.add("%d skipped:".formatted(count));
    int shown = 0;
    for (JsonNode line : result.path("skipped")) {
      if (shown++ == MAX_SKIPPED) {
        break;
      }
      lines.add("  line %d: %s".formatted(line.path("line").asInt(), line.path("reason").asText()));
    }
    if (count > MAX_SKIPPED) {
      lines.add("  and %d more".formatted(count - MAX_SKIPPED));
    }
  }
}
