package io.lensflow.bench.accuracy;

import io.lensflow.bench.figure.Percentiles;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.output.Terminal;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lensflow bench lens-accuracy}: both paths of the lens against float64. */
@Command(
    name = "lens-accuracy",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Hold the exact and the fast lens to float64, over rows of every layer of text that the model",
      "writes, half of it sampled at temperature 1. Fails where a path breaks its promise."
    })
public final class LensAccuracyCommand implements Callable<Integer> {
  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      required = true,
      description =
          "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision].")
  private String named;

  @Option(
      names = "--pairs",
      paramLabel = "N",
      defaultValue = "100000",
      description = "At least so many (row, layer) pairs (default: ${DEFAULT-VALUE}).")
  private int pairs;

  @Override
  public Integer call() throws Exception {
    PrintStream out = Terminal.standardOutput();
    PrintStream err = Terminal.standardError();
    LensAccuracyTrial trial = new LensAccuracyTrial(LocalModel.resolve(named));
    trial.run(pairs, done -> err.printf("%,d pairs%n", done));
    out.printf("%,d (row, layer) pairs, |deviation| from float64%n", trial.pairs());
    for (PathAccuracy path : trial.paths()) {
      out.printf(
          "%n%-20s %10s %10s %10s %10s   %s%n",
          path.path().name().toLowerCase(Locale.ROOT), "median", "99 %", "99.9 %", "worst", "over");
      for (Deviations metric : path.all()) {
        Percentiles sizes = metric.percentiles();
        out.printf(
            Locale.ROOT,
            "%-20s %10.1e %10.1e %10.1e %10.1e   %d of %d%n",
            metric.name(),
            sizes.at(0.5),
            sizes.at(0.99),
            sizes.at(0.999),
            sizes.at(1),
            metric.broken(),
            metric.count());
      }
    }
    for (PathAccuracy path : trial.paths()) {
      if (!path.broken().isEmpty()) {
        throw new CommandFailure(
            "the %s path breaks its promise: %s".formatted(path.path(), path.broken()));
      }
    }
    return 0;
  }
}
