package io.lensflow.cli.output;

import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.SettledEvent;
import java.io.PrintStream;

/** For programs: one JSON object a line, nothing else. */
public final class JsonPrinter implements EventPrinter {
  private final PrintStream out;
  private final JsonEvents json = new JsonEvents();

  public JsonPrinter(PrintStream out) {
    this.out = out;
  }

  @Override
  public void print(LiveEvent event) {
    if (event instanceof LiveEvent.TokensGenerated tokens) {
      json.tokens(tokens.event()).forEach(out::println);
    } else if (event instanceof LiveEvent.ResultArrived arrived) {
      json.result(arrived.result()).forEach(out::println);
    } else if (event instanceof LiveEvent.Restarted restarted) {
      out.println(json.restarted(restarted.requestId(), restarted.attemptId()));
    } else if (event instanceof LiveEvent.AttemptFailed failed) {
      out.println(json.attemptFailed(failed.event()));
    } else if (event instanceof LiveEvent.Completed completed) {
      out.println(json.ended(completed.terminal())); // not at Ended: results still come after it
    }
  }

  @Override
  public void print(SettledEvent event) {
    if (event instanceof SettledEvent.Outcome known) {
      known.tokens().forEach(tokens -> json.tokens(tokens).forEach(out::println));
    } else if (event instanceof SettledEvent.Results rows) {
      json.result(rows.result()).forEach(out::println);
    } else if (event instanceof SettledEvent.Lost lost) {
      json.result(lost.gap()).forEach(out::println);
    } else if (event instanceof SettledEvent.Complete complete) {
      out.println(json.ended(complete.terminal()));
    } else if (event instanceof SettledEvent.Abandoned given) {
      out.println(json.failed(given.requestId(), "ABANDONED", given.reason()));
    }
  }
}
