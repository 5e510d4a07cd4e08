package io.lensflow.bench;

import io.lensflow.bench.accuracy.LensAccuracyCommand;
import io.lensflow.bench.checkpoint.CheckpointCommand;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.figure.Report;
import io.lensflow.bench.timing.Comparison;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.command.Subcommand;
import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.output.Terminal;
import io.lensflow.engine.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lensflow bench}: measures the paths that users run, and prints a table. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measure Lensflow on this machine.",
      "Every figure compares things timed in turn in one run; give the machine to it alone."
    },
    subcommands = {CheckpointCommand.class, LensAccuracyCommand.class})
public final class BenchCommand implements Subcommand {
  /** A step of less than this is calls, not arithmetic. */
  private static final long SMALL_MODEL_BYTES = 100_000_000;

  private static final int LEAST_ROUNDS = 5;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      description = {
        "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision]; required but",
        "for --list."
      })
  private String named;

  @Option(
      names = "--only",
      paramLabel = "NAME,…",
      split = ",",
      description = "Measure these figures only (default: all; --list names them).")
  private Set<String> only = new LinkedHashSet<>();

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds that count, after one that does not (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--full-classical-loop",
      description = "Also run the classical loop to its end, which takes minutes.")
  private boolean fullClassicalLoop;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the figures to this file.")
  private Path json;

  @Option(names = "--list", description = "Name the figures and end.")
  private boolean list;

  private Path model;

  @Override
  public Integer call() throws Exception {
    PrintStream out = Terminal.standardOutput();
    if (list) {
      Report.list(out, Suite.definitions());
      return 0;
    }
    checkOptions();
    PrintStream err = Terminal.standardError();
    Setting setting =
        new Setting(model, new Comparison(rounds), fullClassicalLoop, line -> err.println(line));
    List<Figure> figures = new ArrayList<>();
    Report.head(out);
    for (Benchmark benchmark : Suite.all()) {
      String names =
          benchmark.definitions().stream()
              .map(Definition::name)
              .filter(this::isWanted)
              .collect(Collectors.joining(", "));
      if (names.isEmpty()) {
        continue;
      }
      err.println("measuring " + names + " …");
      for (Finding finding : benchmark.measure(setting)) {
        if (isWanted(finding.figure().name())) {
          figures.add(finding.figure());
          Report.print(out, finding);
        }
      }
    }
    if (json != null) {
      Report.write(json, versions(), figures);
    }
    return 0;
  }

  private boolean isWanted(String name) {
    return only.isEmpty() || only.contains(name);
  }

  private void checkOptions() throws IOException {
    Set<String> known =
        Suite.definitions().stream().map(Definition::name).collect(Collectors.toSet());
    for (String name : only) {
      if (!known.contains(name)) {
        throw wrong("--only: there is no figure '%s'; --list names them".formatted(name));
      }
    }
    if (rounds < LEAST_ROUNDS) {
      throw wrong(
          "--rounds is %d; a median of fewer than %d rounds says little"
              .formatted(rounds, LEAST_ROUNDS));
    }
    if (named == null) {
      throw wrong(
          "--model is missing: the folder or hub id of a checkpoint, a real one such as"
              + " HuggingFaceTB/SmolLM2-135M-Instruct, or random weights in the shape of one"
              + " (lensflow bench checkpoint --shape smollm2-135m --out DIR)");
    }
    if (json != null
        && json.toAbsolutePath().getParent() != null
        && !Files.isDirectory(json.toAbsolutePath().getParent())) {
      throw new CommandFailure("--json: there is no folder " + json.toAbsolutePath().getParent());
    }
    model = LocalModel.resolve(named);
    long bytes = weightBytes();
    Checkpoint.open(model).close(); // refuses what is none, before anything is measured
    if (bytes < SMALL_MODEL_BYTES) {
      Terminal.standardError()
          .printf(
              "%s holds %d MB of weights: too small to say anything about speed.%n",
              model, bytes / 1_000_000);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private long weightBytes() throws IOException {
    try (var files = Files.list(model)) {
      return files
          .filter(file -> file.toString().endsWith(".safetensors"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  /**
   * What was measured. Asked at the end: whoever names the native library loads it, and the engine
   * wants to say before that how its threads wait.
   */
  private Map<String, Object> versions() throws IOException {
    Map<String, Object> versions = new LinkedHashMap<>();
    versions.put(
        "lensflow",
        Optional.ofNullable(BenchCommand.class.getPackage().getImplementationVersion())
            .orElse("not packaged"));
    versions.put("java", Runtime.version().toString());
    versions.put("djl", ai.djl.engine.Engine.getDjlVersion());
    versions.put("pytorch", ai.djl.engine.Engine.getEngine("PyTorch").getVersion());
    versions.put("model", model.toAbsolutePath().normalize().getFileName().toString());
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      versions.put("revision", checkpoint.revision());
      versions.put("dtype", checkpoint.config().storage().name());
    }
    return versions;
  }
}
