package io.lensflow.cli.command;

import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.output.Terminal;
import io.lensflow.platform.registry.EmbeddedRegistry;
import io.lensflow.platform.registry.RegistryOptions;
import io.lensflow.service.KafkaSettings;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lensflow registry}: the embedded schema registry alone. */
@Command(
    name = "registry",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Run a schema registry over a broker, for trying out and for containers.")
public final class RegistryCommand implements Callable<Integer> {
  @Mixin ConnectionOptions connection;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address to listen at; 0.0.0.0 for all (default: ${DEFAULT-VALUE}).")
  String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8081",
      description = "Port to listen at (default: ${DEFAULT-VALUE}).")
  int port;

  @Override
  public Integer call() throws Exception {
    KafkaSettings kafka = connection.kafka();
    EmbeddedRegistry registry =
        EmbeddedRegistry.start(
            new RegistryOptions(
                kafka.bootstrapServers(), host, port, RegistryOptions.TOPIC, kafka.properties()));
    return Stopping.closing(
        registry,
        () -> {
          Terminal.standardError().printf("schema registry at %s%n", registry.uri());
          new CountDownLatch(1).await();
          return 0;
        });
  }
}
