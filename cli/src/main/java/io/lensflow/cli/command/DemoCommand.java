package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.Logging;
import io.lensflow.cli.demo.Demo;
import io.lensflow.cli.option.OutputOptions;
import io.lensflow.cli.option.SystemOptions;
import io.lensflow.cli.output.LoadBar;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lensflow demo}: everything once, from nothing. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Start everything, send prompts, show what every layer says.",
      "On free ports and over a temporary folder; three prompts go through the topics, then one,",
      "steered and unsteered."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final int REQUEST_PARTITIONS = 3;
  private static final float MULTIPLIER = 1.5f;
  private static final String QUESTION =
      """
      You find a strange new bike. What is your plan now?
      Choices:
       (A) I dare to go for the bike at once.
       (B) I stay away from the bike to be safe.""";

  @Mixin SystemOptions system;
  @Mixin OutputOptions output;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Of the HTTP gateway (default: a free one).")
  int port;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Keep the broker's data here (default: a temporary folder).")
  Path dataFolder;

  @Option(names = "--exit", description = "End when everything has been shown.")
  boolean exit;

  @Override
  public Integer call() throws Exception {
    boolean temporary = dataFolder == null;
    Path folder =
        temporary ? Files.createTempDirectory("lensflow-") : UpCommand.createFolder(dataFolder);
    SystemPlan plan =
        UpCommand.plan(
            system, folder, Optional.of(REQUEST_PARTITIONS), new SystemPlan.Ports(port, 0, 0, 0));
    Logging.toFile(plan.dataFolder().resolve("lensflow.log"));
    PrintStream err = Terminal.standardError();
    LoadBar bar = LoadBar.onStandardError(plan.servedName());
    LocalSystem running = new LocalSystem(plan, bar);
    AutoCloseable whole =
        () -> {
          running.close();
          if (temporary) {
            Logging.close();
            delete(folder);
          }
        };
    return Stopping.closing(
        whole,
        () -> {
          running.start();
          bar.close();
          show(running, plan);
          if (!exit) {
            awaitEnd(running, err);
          }
          return 0;
        });
  }

  private static void awaitEnd(LocalSystem running, PrintStream err) throws Exception {
    err.printf("%nHTTP API at %s. Ctrl-C ends the demo.%n", running.httpUri());
    running.brokerExit().get();
    if (!running.isClosed()) {
      throw new CommandFailure("the Kafka broker ended by itself");
    }
  }

  private void show(LocalSystem running, SystemPlan plan) {
    PrintStream out = Terminal.standardOutput();
    Demo demo = new Demo(running, plan.servedName(), out, output.terminal());
    demo.showPrompts();
    if (system.isShippedModel()) {
      Path vector = SystemOptions.home().resolve("demo-model/vectors/risk-taking.json");
      demo.showSteering(vector, QUESTION, MULTIPLIER);
    } else {
      out.println();
      out.println("Steering is shown with the demo model only: vectors belong to one model.");
    }
    out.println();
    out.printf("The HTTP API listened at %s all the while.%n", running.httpUri());
  }

  private static void delete(Path folder) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> paths = Files.walk(folder)) {
      deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : deepestFirst) {
      Files.deleteIfExists(path);
    }
  }
}
