package io.lensflow.cli.output;

import io.lensflow.client.follow.LensRow;
import java.util.ArrayList;
import java.util.List;

/**
 * Layers × tokens: in each cell the token that the lens thinks comes next and its probability,
 * shaded by the probability; bold where that token really came next. Where the terminal is too
 * narrow the columns go on in further blocks.
 *
 * <p>Immutable, thread-safe.
 */
public final class LensTable {
  private static final int CELL = 11;
  private static final int TOKEN = 7;
  private static final int GAP = 1;

  private final Terminal terminal;
  private final Style style;

  public LensTable(Terminal terminal) {
    this.terminal = terminal;
    this.style = new Style(terminal.colour());
  }

  /** The lines of the table, top to bottom: first layer first. */
  public List<String> render(LensGrid grid) {
    return render(grid, 0);
  }

  /**
   * As {@link #render(LensGrid)}, positions from {@code first} on. Position 0 is an attention sink
   * in most models, and says nothing.
   */
  public List<String> render(LensGrid grid, int first) {
    List<Integer> positions =
        grid.positions().stream().filter(position -> position >= first).toList();
    int labelWidth = labelWidth(grid);
    int perBlock = perBlock(labelWidth);
    List<String> lines = new ArrayList<>();
    for (int from = 0; from < positions.size(); from += perBlock) {
      if (from > 0) {
        lines.add("");
      }
      int to = Math.min(positions.size(), from + perBlock);
      block(grid, positions.subList(from, to), labelWidth, lines);
    }
    return lines;
  }

  /** As many positions from {@code first} on as fit side by side. */
  public List<String> renderFirstBlock(LensGrid grid, int first) {
    int labelWidth = labelWidth(grid);
    List<Integer> positions =
        grid.positions().stream()
            .filter(position -> position >= first)
            .limit(perBlock(labelWidth))
            .toList();
    List<String> lines = new ArrayList<>();
    block(grid, positions, labelWidth, lines);
    return lines;
  }

  private int perBlock(int labelWidth) {
    return Math.max(1, (terminal.columns() - labelWidth) / (CELL + GAP));
  }

  private static int labelWidth(LensGrid grid) {
    int widest = grid.layers().stream().mapToInt(layer -> ("" + layer).length()).max().orElse(1);
    return Math.max("layer".length(), widest) + 2;
  }

  private void block(LensGrid grid, List<Integer> positions, int labelWidth, List<String> lines) {
    StringBuilder numbers = new StringBuilder(DisplayText.fit("", labelWidth));
    StringBuilder tokens = new StringBuilder(DisplayText.fit("layer", labelWidth));
    for (int position : positions) {
      numbers.append(DisplayText.fit("" + position, CELL + GAP));
      String token = DisplayText.visible(grid.token(position));
      tokens.append(style.bold(DisplayText.fit(token, CELL))).append(" ");
    }
    lines.add(style.dim(numbers.toString().stripTrailing()));
    lines.add(tokens.toString().stripTrailing());
    for (int layer : grid.layers()) {
      String label = " ".repeat(Math.max(0, 5 - ("" + layer).length())) + layer;
      StringBuilder line = new StringBuilder(DisplayText.fit(label, labelWidth));
      for (int position : positions) {
        LensRow row = grid.row(layer, position);
        line.append(row == null ? " ".repeat(CELL) : cell(grid, row)).append(" ");
      }
      lines.add(line.toString().stripTrailing());
    }
  }

  private String cell(LensGrid grid, LensRow row) {
    if (row.top().isEmpty()) {
      return DisplayText.fit("?", CELL);
    }
    LensRow.Candidate best = row.top().get(0);
    String token = DisplayText.fit(DisplayText.visible(best.text()), TOKEN);
    String text = token + percent(best.probability());
    return style.shade(text, best.probability(), grid.isRight(row));
  }

  /** {@code CELL − TOKEN} columns. */
  private static String percent(float probability) {
    int percent = Math.round(probability * 100);
    return "%3d%%".formatted(percent);
  }
}
