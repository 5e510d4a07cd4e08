package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.BrokerCheck;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.option.LensOptions;
import io.lensflow.cli.option.LocalModel;
import io.lensflow.cli.option.TimeConverter;
import io.lensflow.cli.output.CountBar;
import io.lensflow.cli.output.Terminal;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.decoder.log.LogRange;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.decoder.replay.Replay;
import io.lensflow.decoder.replay.ReplayOutcome;
import io.lensflow.decoder.replay.ReplayPlan;
import io.lensflow.hub.ModelSource;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lensflow replay}: rows that were decoded once, decoded again. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Decode rows again from the log, through other lenses, into a topic of their own.",
      "Runs beside the live flow, and uses no more than its share of the processors. Ends at what",
      "the log holds when it begins. Exit code 1 if rows that were asked for are no longer there."
    })
public final class ReplayCommand implements Callable<Integer> {
  /** Which rows. */
  static final class What {
    @Option(
        names = "--request",
        required = true,
        paramLabel = "ID",
        description = "All attempts of this request.")
    String request;

    @Option(
        names = "--from",
        required = true,
        paramLabel = "TIME",
        converter = TimeConverter.class,
        description = {
          "Everything that was published since then, such as 2026-01-31T09:30:00Z, or 2h for two",
          "hours ago."
        })
    Instant from;
  }

  @Spec CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  What what;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      converter = TimeConverter.class,
      description = "Only what was published before then (default: all that is there).")
  Instant to;

  @Mixin LensOptions lens;

  @Option(
      names = "--lenses",
      paramLabel = "PATH",
      description = {
        "A lens file, or a folder of them; repeatable",
        "(default: the decoder's folder, LENSFLOW_DECODER_LENSES)."
      })
  List<Path> lensFiles = new ArrayList<>();

  @Option(
      names = "--to-topic",
      required = true,
      paramLabel = "TOPIC",
      description = "Where results go; created if it is missing. Not lens-results itself.")
  String topic;

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
      names = "--share",
      paramLabel = "SHARE",
      defaultValue = "0.25",
      description = {
        "How much of its threads' processor time it may use, above 0 and at most 1",
        "(default: ${DEFAULT-VALUE})."
      })
  double share;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads to compute on (default: ${DEFAULT-VALUE}).")
  int threads;

  @Mixin ConnectionOptions connection;

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    KafkaSettings kafka = connection.kafka();
    ReplayPlan plan = plan();
    BrokerCheck.require(kafka, connection.connectTimeout());
    ReplayOutcome outcome;
    try (CountBar bar = CountBar.onStandardError()) {
      outcome =
          Replay.run(
              plan,
              new KafkaClients(kafka),
              (done, total) -> bar.update("replay", done, total, "records"));
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(e.getMessage(), e);
    }
    return summary(outcome);
  }

  private void check() {
    if (!(share > 0 && share <= 1)) {
      throw wrong("--share: is %s; it must be above 0 and at most 1".formatted(share));
    }
    if (threads < 1) {
      throw wrong("--threads: is %d; it must be at least 1".formatted(threads));
    }
    if (to != null && what.from != null && !to.isAfter(what.from)) {
      throw wrong("--to: %s is not after --from, %s".formatted(to, what.from));
    }
  }

  private ReplayPlan plan() {
    List<LensRequest> lenses = lens.toLenses();
    if (lenses.isEmpty()) {
      throw wrong("--lens: a replay needs a lens to look through");
    }
    if (lenses.stream().anyMatch(one -> one.getMetrics().contains(LensMetric.PROJECTIONS))) {
      throw wrong("--project: a replay has no steering vectors to project onto");
    }
    DecoderSettings settings = settings();
    LogRange range = LogRange.kept();
    range = what.from == null ? range : range.from(what.from);
    range = to == null ? range : range.to(to);
    return new ReplayPlan(
        settings.model(),
        LocalModel.resolve(model),
        lenses,
        places(settings),
        Optional.ofNullable(what.request),
        range,
        topic,
        share,
        threads,
        settings.batchRows(),
        settings.maxResultBytes());
  }

  /** Sizes are the decoder's own. */
  private DecoderSettings settings() {
    return DecoderSettings.load(
        Map.of(
            "lensflow.decoder.checkpoint",
            model,
            "lensflow.decoder.model",
            servedName != null ? servedName : ModelSource.of(model).servedName()));
  }

  private List<Path> places(DecoderSettings settings) {
    return lensFiles.isEmpty() ? settings.lenses().folder().stream().toList() : lensFiles;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private int summary(ReplayOutcome outcome) {
    PrintStream err = Terminal.standardError();
    err.printf(
        "%,d chunks, %,d rows decoded into %,d results on '%s'; %,d gaps, %,d canary mismatches%n",
        outcome.chunks(),
        outcome.rows(),
        outcome.results(),
        outcome.topic(),
        outcome.gaps(),
        outcome.canaryMismatches());
    double seconds = outcome.took().toNanos() / 1e9;
    err.printf(
        "%.1f s, %.2f of a processor on average%n",
        seconds, outcome.processorTime().toNanos() / 1e9 / seconds);
    for (LogScan.Hole hole : outcome.deleted()) {
      err.printf(
          "partition %d: records %d … %d were deleted by retention before they were read%n",
          hole.partition(), hole.firstOffset(), hole.lastOffset());
    }
    outcome.missing().forEach(err::println);
    boolean nothing = what.request != null && outcome.chunks() + outcome.gaps() == 0;
    if (nothing) {
      err.printf(
          "no rows of request %s are in the log: it captured none, or retention has deleted them%n",
          what.request);
    }
    boolean whole = outcome.deleted().isEmpty() && outcome.missing().isEmpty() && !nothing;
    return whole && outcome.gaps() == 0 ? 0 : 1;
  }
}
