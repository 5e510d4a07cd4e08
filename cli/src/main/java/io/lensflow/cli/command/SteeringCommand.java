package io.lensflow.cli.command;

import io.lensflow.service.KafkaSettings;
import io.lensflow.steering.SteeringService;
import io.lensflow.steering.SteeringSettings;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow steering}. */
@Command(
    name = "steering",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a steering service: named, versioned vectors over HTTP.")
public final class SteeringCommand extends ServiceCommand {
  @Option(names = "--host", paramLabel = "ADDRESS", description = "Address to listen at.")
  String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "Port to listen at (default: LENSFLOW_STEERING_PORT, 8083).")
  Integer port;

  @Override
  void addTo(Map<String, Object> overrides) {
    put(overrides, "lensflow.steering.host", host);
    put(overrides, "lensflow.steering.port", port);
  }

  @Override
  AutoCloseable start(Map<String, Object> overrides, KafkaSettings kafka) throws Exception {
    return SteeringService.start(SteeringSettings.load(overrides), kafka);
  }
}
