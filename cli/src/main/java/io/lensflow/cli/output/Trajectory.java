package io.lensflow.cli.output;

import io.lensflow.client.follow.LensRow;
import java.util.ArrayList;
import java.util.List;

/**
 * One position in one line: which token leads through which layers, neighbours with the same token
 * drawn together. {@code 0-2 ·the 31% 3-5 ·London 44% 6-7 ·Paris 97%}
 */
final class Trajectory {
  private final Style style;

  Trajectory(Style style) {
    this.style = style;
  }

  private static final class Run {
    final int first;
    final String token;
    int last;
    float probability;

    Run(int layer, String token, float probability) {
      this.first = layer;
      this.last = layer;
      this.token = token;
      this.probability = probability;
    }
  }

  /** The line; each run shows the probability at its last layer. */
  String of(List<LensRow> rowsByLayer) {
    List<Run> runs = new ArrayList<>();
    for (LensRow row : rowsByLayer) {
      String token = row.top().isEmpty() ? "?" : DisplayText.visible(row.top().get(0).text());
      float probability = row.top().isEmpty() ? 0 : row.top().get(0).probability();
      Run run = runs.isEmpty() ? null : runs.get(runs.size() - 1);
      if (run != null && run.token.equals(token) && run.last == row.layer() - 1) {
        run.last = row.layer();
        run.probability = probability;
      } else {
        runs.add(new Run(row.layer(), token, probability));
      }
    }
    StringBuilder line = new StringBuilder();
    for (Run run : runs) {
      String layers = run.first == run.last ? "" + run.first : run.first + "-" + run.last;
      String best = "%s %d%%".formatted(run.token, Math.round(run.probability * 100));
      line.append(style.dim(layers))
          .append(" ")
          .append(style.shade(best, run.probability, false))
          .append("  ");
    }
    return line.toString().stripTrailing();
  }
}
