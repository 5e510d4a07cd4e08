package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.BrokerCheck;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.option.DurationConverter;
import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.option.TimeConverter;
import io.lensflow.cli.output.CountBar;
import io.lensflow.cli.output.FitTable;
import io.lensflow.cli.output.Terminal;
import io.lensflow.decoder.fit.FitCounts;
import io.lensflow.decoder.fit.FitOutcome;
import io.lensflow.decoder.fit.FitPlan;
import io.lensflow.decoder.fit.FitProgress;
import io.lensflow.decoder.fit.TranslatorTraining;
import io.lensflow.decoder.log.LogRange;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.TranslatorFile;
import io.lensflow.hub.ModelSource;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lensflow lens fit}: a tuned lens from what a running deployment publishes. */
@Command(
    name = "fit",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Learn an affine lens from the activations topic, towards the model's last layer.",
      "Workers and decoders go on undisturbed. Reads what the log holds, then waits for more, until",
      "there are rows enough; a tenth of the requests is held out, and the lens measured on it",
      "beside the plain logit lens, a bias alone, and a lens that ignores its input."
    })
public final class LensFitCommand implements Callable<Integer> {
  /** Where in the log to begin. */
  static final class Begin {
    @Option(
        names = "--from",
        paramLabel = "TIME",
        converter = TimeConverter.class,
        description = "Begin at this time, such as 2026-01-31T09:30:00Z, or 2h for two hours ago.")
    Instant from;

    @Option(names = "--live", description = "Only what comes from now on.")
    boolean live;
  }

  @Spec CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "Name of the lens, by which requests choose it.")
  String name;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR|ID",
      description = "Checkpoint that the workers serve: a folder, or a hub id.")
  String model;

  @Option(
      names = "--served-name",
      paramLabel = "NAME",
      description =
          "Name under which workers serve the model (default: the folder's or id's name).")
  String servedName;

  @Option(
      names = "--rows",
      required = true,
      paramLabel = "N",
      description = "Positions to read, at every layer; position 0 does not count.")
  long rows;

  @ArgGroup Begin begin = new Begin();

  @Option(
      names = "--wait",
      paramLabel = "DURATION",
      defaultValue = "1m",
      converter = DurationConverter.class,
      description = {
        "Go on with what there is when no new row has come for so long",
        "(default: ${DEFAULT-VALUE})."
      })
  Duration patience;

  @Option(
      names = "--hook-point",
      paramLabel = "POINT",
      defaultValue = "residual_post",
      description = "Whose rows it shall translate (default: ${DEFAULT-VALUE}).")
  String hookPoint;

  @Option(
      names = "--held-out",
      paramLabel = "SHARE",
      defaultValue = "0.1",
      description = "Share of requests to measure on (default: ${DEFAULT-VALUE}).")
  double heldOut;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Chooses these requests (default: ${DEFAULT-VALUE}).")
  long seed;

  @Option(names = "--steered", description = "Learn from steered requests too.")
  boolean steered;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads to compute on (default: ${DEFAULT-VALUE}).")
  int threads;

  @Option(
      names = "--held-out-rows",
      paramLabel = "N",
      defaultValue = "1024",
      description = {
        "Most positions of theirs to measure on; further ones are left out",
        "(default: ${DEFAULT-VALUE})."
      })
  int maxHeldOutRows;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE.safetensors",
      description = "Where to write the lens.")
  Path output;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Also write the report as JSON here.")
  Path json;

  @Mixin ConnectionOptions connection;

  @Override
  public Integer call() throws IOException {
    check();
    KafkaSettings kafka = connection.kafka();
    FitPlan plan = plan();
    BrokerCheck.require(kafka, connection.connectTimeout());
    FitOutcome outcome;
    try (CountBar bar = CountBar.onStandardError()) {
      outcome =
          TranslatorTraining.run(plan, new KafkaClients(kafka), new Shown(bar), Clock.systemUTC());
    }
    PrintStream out = Terminal.standardOutput();
    FitTable.render(outcome).forEach(out::println);
    summary(outcome);
    if (json != null) {
      Files.writeString(json, FitTable.json(outcome).toPrettyString() + System.lineSeparator());
    }
    return 0;
  }

  private void check() {
    if (!TranslatorFile.isName(name) || name.equals(ServedLenses.LOGIT)) {
      throw wrong(
          "NAME",
          "'%s' is no name for a lens; it may hold up to 100 of A-Z a-z 0-9 . _ -, and '%s' is taken"
              .formatted(name, ServedLenses.LOGIT));
    }
    if (rows < 1) {
      throw wrong("--rows", "is %d; it must be at least 1".formatted(rows));
    }
    if (!(heldOut >= 0 && heldOut <= 0.5)) {
      throw wrong("--held-out", "is %s; it must be 0 … 0.5".formatted(heldOut));
    }
    if (threads < 1) {
      throw wrong("--threads", "is %d; it must be at least 1".formatted(threads));
    }
    if (maxHeldOutRows < 1) {
      throw wrong("--held-out-rows", "is %d; it must be at least 1".formatted(maxHeldOutRows));
    }
    writable("--out", output);
    if (json != null) {
      writable("--json", json);
    }
  }

  /** Said before an hour of reading, not after. */
  private void writable(String option, Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || folder == null || !Files.isWritable(folder)) {
      throw new CommandFailure("%s: %s cannot be written".formatted(option, file));
    }
  }

  private FitPlan plan() {
    LogRange range = begin.live ? LogRange.live() : LogRange.kept().following();
    return new FitPlan(
        name,
        servedName != null ? servedName : ModelSource.of(model).servedName(),
        LocalModel.resolve(model),
        hookPoint(),
        rows,
        heldOut,
        seed,
        steered,
        begin.from == null ? range : range.from(begin.from),
        patience,
        threads,
        maxHeldOutRows,
        output);
  }

  private HookPoint hookPoint() {
    try {
      return HookPoint.valueOf(hookPoint.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw wrong(
          "--hook-point",
          "'%s' is none of %s"
              .formatted(
                  hookPoint, Arrays.stream(HookPoint.values()).map(HookPoint::fileName).toList()));
    }
  }

  private ParameterException wrong(String option, String what) {
    return new ParameterException(spec.commandLine(), option + ": " + what);
  }

  private static void summary(FitOutcome outcome) {
    FitCounts counts = outcome.counts();
    PrintStream err = Terminal.standardError();
    err.printf("lens '%s' written to %s%n", outcome.info().name(), outcome.file().toAbsolutePath());
    err.printf(
        "learned from %,d rows of %,d requests, measured on %,d rows of %,d others%n",
        outcome.trainingRows(),
        outcome.trainingRequests(),
        outcome.heldOutRows(),
        outcome.heldOutRequests());
    err.printf(
        "left out: chunks of other attempts %,d, steered %,d, damaged or foreign %,d; rows without"
            + " their last row %,d; records deleted before they were read %,d%n",
        counts.otherAttempts(),
        counts.steered(),
        counts.refused(),
        counts.unpairedRows(),
        counts.deletedRecords());
    err.printf(
        "reading %d s, solving %d s, measuring %d s%n",
        outcome.reading().toSeconds(),
        outcome.solving().toSeconds(),
        outcome.measuring().toSeconds());
  }

  private record Shown(CountBar bar) implements FitProgress {
    @Override
    public void rows(long rows, long target) {
      bar.update("reading", rows, target, "rows");
    }

    @Override
    public void measuring(int done, int total) {
      bar.update("measuring", done, total, "chunks");
    }

    @Override
    public void say(String line) {
      bar.say(line);
    }
  }
}
