package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorFile;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors}: steering vectors through the steering service. */
@Command(
    name = "vectors",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Publish, list and delete steering vectors. Prints the service's answer as JSON.")
public final class VectorsCommand {
  private static final String URL = "http://localhost:8083";

  @Command(
      name = "publish",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Publish a vector as the next version of its name.",
        "The file holds name, model, layer, hookPoint and values."
      })
  int publish(
      @Parameters(paramLabel = "FILE.json", description = "The vector.") Path file,
      @Option(names = "--url", defaultValue = URL, description = "Steering service.") URI url,
      @Option(names = "--model", description = "Served name of the model.") String model,
      @Option(names = "--name", description = "Name of the vector.") String name) {
    VectorFile vector =
        VectorFile.read(file, Optional.ofNullable(model), Optional.ofNullable(name));
    return show(new SteeringApi(url).publish(vector));
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "List a model's vectors with their versions and aliases.")
  int list(
      @Option(names = "--url", defaultValue = URL, description = "Steering service.") URI url,
      @Option(names = "--model", required = true, description = "Served name of the model.")
          String model) {
    return show(new SteeringApi(url).list(model));
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Delete a vector with all its versions, or one version.")
  int delete(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Option(names = "--url", defaultValue = URL, description = "Steering service.") URI url,
      @Option(names = "--model", required = true, description = "Served name of the model.")
          String model,
      @Option(names = "--version-number", paramLabel = "N", description = "Only this version.")
          Integer version) {
    return show(new SteeringApi(url).delete(model, name, version));
  }

  private static int show(JsonNode answer) {
    Terminal.standardOutput().println(answer.toPrettyString());
    return 0;
  }
}
