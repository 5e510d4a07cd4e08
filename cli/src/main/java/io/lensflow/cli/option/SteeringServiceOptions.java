package io.lensflow.cli.option;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.SteeringApi;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where the steering service is, and what it is shown. */
public final class SteeringServiceOptions {
  /** Holds the token; an option would show it to everybody who lists processes. */
  private static final String TOKEN = "LENSFLOW_STEERING_TOKEN";

  @Option(
      names = "--url",
      defaultValue = "${LENSFLOW_STEERING_URL:-http://localhost:8083}",
      description = "Steering service (default: LENSFLOW_STEERING_URL, http://localhost:8083).")
  URI url;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "File with the token to show (default: what LENSFLOW_STEERING_TOKEN holds).")
  Path tokenFile;

  /** A client of that service. */
  public SteeringApi api() {
    return new SteeringApi(url, token());
  }

  private Optional<String> token() {
    if (tokenFile == null) {
      return Optional.ofNullable(System.getenv(TOKEN)).filter(token -> !token.isBlank());
    }
    try {
      return Optional.of(Files.readString(tokenFile).strip());
    } catch (IOException e) {
      throw new CommandFailure("%s cannot be read: %s".formatted(tokenFile, e), e);
    }
  }

  /** Prints an answer of the service; 0. */
  public static int show(JsonNode answer) {
    Terminal.standardOutput().println(answer.toPrettyString());
    return 0;
  }
}
