package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.Logging;
import io.lensflow.cli.option.SystemOptions;
import io.lensflow.cli.output.LoadBar;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lensflow up}: the whole system on this machine, until it is told to stop. */
@Command(
    name = "up",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Run the whole system on this machine until Ctrl-C.",
      "Kafka broker, schema registry, worker, lens decoder, steering service and HTTP gateway; what is",
      "on the topics stays for the next time."
    })
public final class UpCommand implements Callable<Integer> {
  @Mixin SystemOptions system;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      defaultValue = ".lensflow",
      description = {
        "Where the embedded broker keeps its data (default: ${DEFAULT-VALUE}, in the working",
        "folder: what a project's runs left lies with the project)."
      })
  Path dataFolder;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "Of the HTTP gateway; 0 takes a free one (default: ${DEFAULT-VALUE}).")
  int port;

  @Option(
      names = "--steering-port",
      paramLabel = "PORT",
      defaultValue = "8083",
      description = "Of the steering service (default: ${DEFAULT-VALUE}).")
  int steeringPort;

  @Option(
      names = "--kafka-port",
      paramLabel = "PORT",
      defaultValue = "9092",
      description = "Of the embedded broker (default: ${DEFAULT-VALUE}).")
  int kafkaPort;

  @Option(
      names = "--registry-port",
      paramLabel = "PORT",
      defaultValue = "8081",
      description = "Of the embedded registry (default: ${DEFAULT-VALUE}).")
  int registryPort;

  @Override
  public Integer call() throws Exception {
    PrintStream err = Terminal.standardError();
    SystemPlan plan =
        plan(
            system,
            createFolder(dataFolder),
            Optional.empty(),
            new SystemPlan.Ports(port, steeringPort, kafkaPort, registryPort));
    Logging.toFile(plan.dataFolder().resolve("lensflow.log"));
    LoadBar bar = LoadBar.onStandardError(plan.servedName());
    LocalSystem running = new LocalSystem(plan, bar);
    return Stopping.closing(
        running,
        () -> {
          running.start();
          bar.close();
          sayReady(err, running);
          int status = running.brokerExit().get();
          if (running.isClosed()) {
            return 0;
          }
          throw new CommandFailure(
              "the Kafka broker ended with status %d; see %s"
                  .formatted(status, plan.dataFolder().resolve("kafka/broker.log")));
        });
  }

  private void sayReady(PrintStream err, LocalSystem running) {
    err.printf("%nReady. HTTP API at %s, described at /openapi.json%n", running.httpUri());
    err.printf("Try:  bin/lensflow submit%s \"The capital of France is\"%n", elsewhere(running));
    err.println("Ctrl-C stops it.");
  }

  /** What a client has to be told where the ports are not the usual ones. */
  private String elsewhere(LocalSystem running) {
    boolean usual =
        running.kafka().bootstrapServers().endsWith(":9092")
            && running.kafka().schemaRegistry().toString().endsWith(":8081");
    return usual
        ? ""
        : " --bootstrap-servers %s --schema-registry %s"
            .formatted(running.kafka().bootstrapServers(), running.kafka().schemaRegistry());
  }

  static SystemPlan plan(
      SystemOptions system,
      Path dataFolder,
      Optional<Integer> requestPartitions,
      SystemPlan.Ports ports) {
    Map<String, Object> overrides = system.connection().overrides();
    Object servers = overrides.remove("lensflow.kafka.bootstrap-servers");
    Object registry = overrides.remove("lensflow.kafka.schema-registry");
    system.ranks().ifPresent(ranks -> overrides.put("lensflow.worker.ranks", ranks));
    overrides.putAll(system.settings().overrides());
    return new SystemPlan(
        system.model().toAbsolutePath().normalize(),
        system.servedName(),
        system.dtype(),
        dataFolder.toAbsolutePath().normalize(),
        Optional.ofNullable(servers).map(Object::toString),
        Optional.ofNullable(registry).map(Object::toString),
        requestPartitions,
        ports,
        overrides);
  }

  static Path createFolder(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new CommandFailure("the folder " + folder + " cannot be made: " + e, e);
    }
  }
}
