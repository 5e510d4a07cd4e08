package io.lensflow.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Jobs for people. Stateless, thread-safe. */
public final class JobTable {
  private static final String LINE = "%-36s  %-8s  %-9s  %11s  %-20s  %s";

  private JobTable() {}

  /** A line a job. */
  public static List<String> render(JsonNode jobs) {
    List<String> lines = new ArrayList<>();
    lines.add(LINE.formatted("job", "type", "state", "done", "created", "about"));
    for (JsonNode job : jobs) {
      lines.add(
          LINE.formatted(
                  job.path("id").asText(),
                  job.path("type").asText().toLowerCase(Locale.ROOT),
                  job.path("state").asText().toLowerCase(Locale.ROOT),
                  "%d / %d".formatted(job.path("done").asLong(), job.path("total").asLong()),
                  job.path("createdAt").asText().replaceFirst("\\.\\d+Z$", "Z"),
                  about(job))
              .stripTrailing());
    }
    return lines;
  }

  private static String about(JsonNode job) {
    String failure = job.path("failure").path("message").asText("");
    String name = job.path("request").path("name").asText("");
    return "%s of %s%s"
        .formatted(
            name, job.path("model").asText(), failure.isEmpty() ? "" : ", failed: " + failure);
  }
}
