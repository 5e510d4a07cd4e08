package io.lensflow.cli.output;

import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.json.EventJson;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import java.io.PrintStream;

/** For programs: one JSON object a line, nothing else; the objects are {@link EventJson}'s. */
public final class JsonPrinter implements EventPrinter {
  private final PrintStream out;

  public JsonPrinter(PrintStream out) {
    this.out = out;
  }

  @Override
  public void print(LiveEvent event) {
    if (event instanceof LiveEvent.TokensGenerated tokens) {
      tokens(tokens.event());
    } else if (event instanceof LiveEvent.ResultArrived arrived) {
      result(arrived.result());
    } else if (event instanceof LiveEvent.Restarted restarted) {
      out.println(EventJson.restarted(restarted.requestId(), restarted.attemptId()));
    } else if (event instanceof LiveEvent.AttemptFailed failed) {
      out.println(EventJson.attemptFailed(failed.event()));
    } else if (event instanceof LiveEvent.Completed completed) {
      ended(completed.terminal()); // not at Ended: results still come after it
    }
  }

  @Override
  public void print(SettledEvent event) {
    if (event instanceof SettledEvent.Outcome known) {
      known.tokens().forEach(this::tokens);
    } else if (event instanceof SettledEvent.Results rows) {
      result(rows.result());
    } else if (event instanceof SettledEvent.Lost lost) {
      result(lost.gap());
    } else if (event instanceof SettledEvent.Complete complete) {
      ended(complete.terminal());
    } else if (event instanceof SettledEvent.Abandoned given) {
      out.println(EventJson.failed(given.requestId(), "ABANDONED", given.reason()));
    }
  }

  private void tokens(CompletionEvent event) {
    for (int i = 0; i < event.getTokens().getIds().size(); i++) {
      out.println(EventJson.token(event, i));
    }
  }

  private void result(LensResult result) {
    if (result.getGap() != null) {
      out.println(EventJson.gap(result));
      return;
    }
    for (int layer = 0; layer < result.getLayers().size(); layer++) {
      for (int position = 0; position < result.getPositions().size(); position++) {
        out.println(EventJson.lens(result, layer, position));
      }
    }
  }

  /** A cancelled request failed to finish: whoever waits for it learns that in one way. */
  private void ended(CompletionEvent event) {
    out.println(
        event.getType() == CompletionType.FINISHED
            ? EventJson.finished(event, null)
            : EventJson.failed(event));
  }
}
