package io.lensflow.bench.soak;

import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.command.Subcommand;
import io.lensflow.cli.option.DurationConverter;
import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.option.SettingOptions;
import io.lensflow.cli.option.SystemOptions;
import io.lensflow.cli.output.Terminal;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code lensflow soak}: kills, pauses and restarts the system under load, and accounts for every
 * row.
 */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Prove the delivery promises on this machine: run broker, workers and decoders as processes,",
      "kill, pause and restart them at seeded moments under a seeded stream of requests, then account",
      "for every request and row with a checker in Python that reads the raw topics.",
      "Exit code 0 if all holds, 1 if not. Needs python3 with confluent-kafka, fastavro and numpy."
    })
public final class SoakCommand implements Subcommand {
  @Spec private CommandSpec spec;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Of requests and faults: the same seed replays a run (default: drawn, and told).")
  private Long seed;

  @Option(
      names = "--duration",
      paramLabel = "DURATION",
      defaultValue = "2m",
      converter = DurationConverter.class,
      description = "For how long requests are sent (default: ${DEFAULT-VALUE}).")
  private Duration duration;

  @Option(
      names = "--faults",
      paramLabel = "N",
      defaultValue = "8",
      description = {
        "How many strike (default: ${DEFAULT-VALUE}). From 7 on: 2 kills of workers, 2 of decoders, 1 of",
        "the broker and 2 pauses beyond the session timeout among them."
      })
  private int faults;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "4",
      description = "Requests per second, on average (default: ${DEFAULT-VALUE}).")
  private double rate;

  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      description =
          "Checkpoint: a folder in Hugging Face layout, or a hub id (default: the demo model).")
  private String model;

  @Option(
      names = "--keep",
      paramLabel = "DIR",
      description = {
        "Keep topics, logs and the checker in this empty folder (default: a temporary one that goes);",
        "DIR/checker/check.py judge --model=… DIR judges again."
      })
  private Path keep;

  @Option(
      names = "--python",
      paramLabel = "FILE",
      description = "Interpreter of the checker (default: LENSFLOW_PYTHON, or python3).")
  private String python;

  @Mixin private SettingOptions services;

  @Override
  public Integer call() throws Exception {
    if (keep == null) {
      try (TemporaryFolder folder = new TemporaryFolder()) {
        return run(folder.path());
      }
    }
    requireEmpty(keep);
    return run(keep.toAbsolutePath().normalize());
  }

  private int run(Path folder) throws Exception {
    PrintStream err = Terminal.standardError();
    SoakSettings settings = settings(folder);
    err.println("seed " + settings.seed());
    Soak soak = new Soak(settings, err::println);
    Soak.Verdict verdict = soak.run();
    PrintStream out = Terminal.standardOutput();
    soak.summary(verdict).forEach(out::println);
    verdict.problems().forEach(out::println);
    out.println(
        verdict.holds()
            ? "All holds."
            : "It does not hold; --seed %d replays it.".formatted(settings.seed()));
    return verdict.holds() ? 0 : 1;
  }

  private SoakSettings settings(Path folder) {
    try {
      return new SoakSettings(
          seed != null ? seed : new Random().nextInt(Integer.MAX_VALUE),
          duration,
          faults,
          rate,
          modelFolder(),
          folder,
          Optional.ofNullable(python)
              .or(() -> Optional.ofNullable(System.getenv(Checker.VARIABLE)))
              .filter(name -> !name.isBlank())
              .orElse("python3"),
          services.overrides());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private Path modelFolder() {
    String named = model != null ? model : SystemOptions.home().resolve("demo-model").toString();
    return LocalModel.resolve(named).toAbsolutePath().normalize();
  }

  private static void requireEmpty(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> some = files.limit(1).toList();
      if (!some.isEmpty()) {
        throw new CommandFailure("--keep: %s is not empty; name a new folder".formatted(folder));
      }
    }
  }
}
