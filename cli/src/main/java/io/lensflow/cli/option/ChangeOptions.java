package io.lensflow.cli.option;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import java.time.Duration;
import picocli.CommandLine.Option;

/** How a change is made: against which version, and whether workers are waited for. */
public final class ChangeOptions {
  @Option(
      names = "--wait",
      paramLabel = "DURATION",
      arity = "0..1",
      fallbackValue = "30s",
      converter = DurationConverter.class,
      description = {
        "Wait until every worker that lives now has applied or refused it, and say what each did;",
        "exit code 3 if one refused it or did not answer in time (default: 30s, at most 1m)."
      })
  Duration wait;

  @Option(
      names = "--expect",
      paramLabel = "VERSION",
      description = "Only if this version is current; 0: only if there is none.")
  Integer expected;

  /** Whether workers are waited for. */
  public boolean waits() {
    return wait != null;
  }

  /** The path with what the query says. */
  public ApiPath waiting(ApiPath path) {
    return path.with("wait", wait);
  }

  /** The path with what must be current, where there is no body to say it. */
  public ApiPath expecting(ApiPath path) {
    return path.with("expectedVersion", expected);
  }

  /** The body with what must be current. */
  public ObjectNode expecting(ObjectNode body) {
    return expected == null ? body : body.put("expectedVersion", expected);
  }

  /** Prints an answer; 0, or 3 if a worker that was waited for has not applied the change. */
  public static int show(JsonNode answer) {
    Terminal.standardOutput().println(answer.toPrettyString());
    for (JsonNode worker : answer.path("rollout").path("workers")) {
      String state = worker.path("state").asText();
      if (state.equals("REFUSED") || state.equals("PENDING")) {
        return NOT_EVERYWHERE;
      }
    }
    return 0;
  }

  private static final int NOT_EVERYWHERE = 3;
}
