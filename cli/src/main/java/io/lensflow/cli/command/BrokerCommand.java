package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.Terminal;
import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lensflow broker}: the embedded broker alone. */
@Command(
    name = "broker",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a single Kafka broker, for trying out and for containers.")
public final class BrokerCommand implements Callable<Integer> {
  private static final int DEFAULT_PORT = 9092;

  @Spec CommandSpec spec;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = ".lensflow/kafka",
      description = "Where it keeps its data (default: ${DEFAULT-VALUE}).")
  Path dataFolder;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = {
        "Port on the loopback address; 0 takes a free one",
        "(default: 9092, or 0 where --advertise is given)."
      })
  Integer port;

  @Option(
      names = "--advertise",
      paramLabel = "HOST:PORT",
      description = {
        "Also listen at PORT on every network interface, and tell who comes by it to come back to HOST:PORT;",
        "repeatable. There is no authentication: mind who can reach it."
      })
  List<String> advertised = new ArrayList<>();

  @Option(
      names = "--property",
      paramLabel = "KEY=VALUE",
      description = {"A broker setting by Kafka's name, such as advertised.listeners; repeatable."})
  Map<String, String> properties = new LinkedHashMap<>();

  @Override
  public Integer call() throws Exception {
    EmbeddedBroker broker = EmbeddedBroker.start(options());
    return Stopping.closing(
        broker,
        () -> {
          Terminal.standardError().printf("Kafka broker at %s%n", addresses(broker));
          int status = broker.onExit().get();
          throw new CommandFailure(
              "the broker ended with status %d; see %s"
                  .formatted(status, broker.folder().resolve("broker.log")));
        });
  }

  private BrokerOptions options() {
    int loopback = port != null ? port : advertised.isEmpty() ? DEFAULT_PORT : 0;
    try {
      return BrokerOptions.in(dataFolder)
          .withPort(loopback)
          .withAdvertised(advertised)
          .withProperties(properties);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private String addresses(EmbeddedBroker broker) {
    return advertised.isEmpty() ? broker.bootstrapServers() : String.join(" and ", advertised);
  }
}
