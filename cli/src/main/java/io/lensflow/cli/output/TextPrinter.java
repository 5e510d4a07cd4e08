package io.lensflow.cli.output;

import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.LensResult;
import io.lensflow.records.Tokens;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * For people: a line for each token and for each decoded position as they come, or at the end one
 * table for each lens and hook point. Not thread-safe.
 */
public final class TextPrinter implements EventPrinter {
  private static final int ID_END = 8;

  private final PrintStream out;
  private final Style style;
  private final LensTable table;
  private final Trajectory trajectory;
  private final boolean tables;
  private final boolean many;
  private final Map<LensGrid.Key, LensGrid> grids = new LinkedHashMap<>();

  /**
   * Makes a printer.
   *
   * @param tables gather rows and show them as tables at the end of a request, which must be the
   *     only one then
   * @param many whether several requests are shown, so that each line names its own
   */
  public TextPrinter(PrintStream out, Terminal terminal, boolean tables, boolean many) {
    this.out = out;
    this.style = new Style(terminal.colour());
    this.table = new LensTable(terminal);
    this.trajectory = new Trajectory(style);
    this.tables = tables;
    this.many = many;
  }

  @Override
  public void print(LiveEvent event) {
    if (event instanceof LiveEvent.Accepted accepted) {
      line(event.requestId(), style.dim("accepted by " + accepted.event().getWorker()));
    } else if (event instanceof LiveEvent.TokensGenerated tokens) {
      tokens(tokens.event());
    } else if (event instanceof LiveEvent.ResultArrived arrived) {
      result(arrived.result());
    } else if (event instanceof LiveEvent.Restarted restarted) {
      grids.clear();
      line(
          event.requestId(),
          "attempt " + restarted.attempt() + " begins: what came before is void");
    } else if (event instanceof LiveEvent.AttemptFailed failed) {
      line(event.requestId(), "attempt failed: " + reason(failed.event()));
    } else if (event instanceof LiveEvent.Completed completed) {
      ended(completed.terminal());
    }
  }

  @Override
  public void print(SettledEvent event) {
    if (event instanceof SettledEvent.Outcome outcome) {
      outcome.tokens().forEach(this::tokens);
    } else if (event instanceof SettledEvent.Results rows) {
      result(rows.result());
    } else if (event instanceof SettledEvent.Lost lost) {
      result(lost.gap());
    } else if (event instanceof SettledEvent.Complete complete) {
      ended(complete.terminal());
    } else if (event instanceof SettledEvent.Abandoned given) {
      line(event.requestId(), "given up: " + given.reason());
    }
  }

  private void tokens(CompletionEvent event) {
    Tokens tokens = event.getTokens();
    for (int i = 0; i < tokens.getIds().size(); i++) {
      String text = DisplayText.visible(tokens.getTexts().get(i));
      line(
          event.getRequestId(),
          "%s %4d  %s"
              .formatted(style.dim("token"), tokens.getPositions().get(i), style.generated(text)));
    }
  }

  private void result(LensResult result) {
    if (result.getGap() != null) {
      line(result.getRequestId(), "rows were lost: " + result.getGap().getReason());
    } else if (tables) {
      grids.computeIfAbsent(LensGrid.Key.of(result), key -> new LensGrid()).add(result);
    } else {
      LensGrid grid = LensGrid.of(List.of(result));
      String name =
          result.getLens() + " " + result.getHookPoint().name().toLowerCase(java.util.Locale.ROOT);
      for (int position : grid.positions()) {
        List<LensRow> rows =
            grid.layers().stream().map(layer -> grid.row(layer, position)).toList();
        line(
            result.getRequestId(),
            "%s %5d  %s %s%s %s"
                .formatted(
                    style.dim("lens"),
                    position,
                    DisplayText.fit(DisplayText.visible(grid.token(position)), 10),
                    trajectory.of(rows),
                    targets(rows),
                    style.dim(name)));
      }
    }
  }

  /** Where the tokens that were asked for stand at the last of the layers; empty if none were. */
  private String targets(List<LensRow> rowsByLayer) {
    if (rowsByLayer.isEmpty()) {
      return "";
    }
    return rowsByLayer.get(rowsByLayer.size() - 1).targets().stream()
        .map(
            target ->
                "  %s %s"
                    .formatted(
                        DisplayText.visible(target.text()),
                        style.dim(
                            "rank %d %.1f%%"
                                .formatted(
                                    target.rank(), 100 * Math.exp(target.logProbability())))))
        .collect(Collectors.joining());
  }

  private void ended(CompletionEvent event) {
    Finished finished = event.getFinished();
    if (finished == null) {
      if (many) { // of a single one the command itself says it, on standard error
        line(event.getRequestId(), reason(event));
      }
      return;
    }
    grids.forEach(
        (key, grid) -> {
          out.println();
          out.println(style.bold("lens " + key.lens() + " at " + key.hookPoint()));
          table.render(grid).forEach(out::println);
        });
    grids.clear();
    if (!many) {
      out.println();
    }
    line(event.getRequestId(), style.generated(finished.getText()));
    line(event.getRequestId(), style.dim(summary(finished)));
  }

  private static String summary(Finished finished) {
    double seconds = finished.getTimings().getTotalMicros() / 1e6;
    return "%s: %d prompt and %d generated tokens, %d rows a layer, %.2f s"
        .formatted(
            finished.getReason().name().toLowerCase(java.util.Locale.ROOT),
            finished.getPromptTokens(),
            finished.getGeneratedTokens(),
            finished.getRows(),
            seconds);
  }

  /** Steering as it was applied, for a person. */
  public static String steering(List<AppliedSteering> applied) {
    return applied.stream()
        .map(
            one ->
                "%s@%d × %s at layer %d, %s"
                    .formatted(
                        one.getName(),
                        one.getVersion(),
                        one.getMultiplier(),
                        one.getLayer(),
                        one.getHookPoint()))
        .collect(Collectors.joining("; "));
  }

  private static String reason(CompletionEvent event) {
    Failure failure = event.getFailure();
    String type = event.getType().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    return failure == null
        ? type
        : "%s: %s%s"
            .formatted(
                type,
                failure.getField() == null ? "" : failure.getField() + ": ",
                failure.getMessage());
  }

  private void line(String requestId, String text) {
    if (many) {
      // The end of a UUIDv7 is the random part; its beginning is the same for a minute.
      String id = requestId.substring(Math.max(0, requestId.length() - ID_END));
      out.println(style.dim(id) + "  " + text);
    } else {
      out.println(text);
    }
  }
}
