package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.Terminal;
import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow broker}: the embedded broker alone. */
@Command(
    name = "broker",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a single Kafka broker, for trying out and for containers.")
public final class BrokerCommand implements Callable<Integer> {
  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = ".lensflow/kafka",
      description = "Where it keeps its data (default: ${DEFAULT-VALUE}).")
  Path dataFolder;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "9092",
      description = "Port on the loopback address (default: ${DEFAULT-VALUE}).")
  int port;

  @Option(
      names = "--property",
      paramLabel = "KEY=VALUE",
      description = {"A broker setting by Kafka's name, such as advertised.listeners; repeatable."})
  Map<String, String> properties = new LinkedHashMap<>();

  @Override
  public Integer call() throws Exception {
    BrokerOptions options = BrokerOptions.in(dataFolder).withPort(port).withProperties(properties);
    EmbeddedBroker broker = EmbeddedBroker.start(options);
    return Stopping.closing(
        broker,
        () -> {
          Terminal.standardError().printf("Kafka broker at %s%n", broker.bootstrapServers());
          int status = broker.onExit().get();
          throw new CommandFailure(
              "the broker ended with status %d; see %s"
                  .formatted(status, broker.folder().resolve("broker.log")));
        });
  }
}
