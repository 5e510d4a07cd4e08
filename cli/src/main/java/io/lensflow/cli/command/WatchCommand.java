package io.lensflow.cli.command;

import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.option.DurationConverter;
import io.lensflow.cli.option.OutputOptions;
import io.lensflow.cli.output.EventPrinter;
import io.lensflow.cli.output.JsonPrinter;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.output.TextPrinter;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.FollowStream;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lensflow watch}: everybody's requests, as they happen. */
@Command(
    name = "watch",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Print tokens and lens results of all requests, until interrupted.")
public final class WatchCommand implements Callable<Integer> {
  private static final Duration LOOK = Duration.ofSeconds(1);

  @Spec CommandSpec spec;
  @Mixin ConnectionOptions connection;
  @Mixin OutputOptions output;

  @Option(
      names = "--json",
      description = "One JSON object a line on standard output, everything else on standard error.")
  boolean json;

  @Option(
      names = "--settled",
      description = "Print winning attempts only, once, in order, after each request has ended.")
  boolean settled;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "NAME",
      description = "Only requests to this model.")
  String model;

  @Option(names = "--request", paramLabel = "ID", description = "Only this request.")
  String request;

  @Option(
      names = "--lens",
      paramLabel = "NAME",
      description = "Only results of this lens; repeatable.")
  List<String> lenses;

  @Option(
      names = "--since",
      paramLabel = "DURATION",
      converter = DurationConverter.class,
      description = "Begin with what is so old, such as 10m (default: now).")
  Duration since;

  @Option(names = "--from-beginning", description = "Begin with the oldest records kept.")
  boolean fromBeginning;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "Stop after N requests have ended with all their results.")
  Integer count;

  private int ended;

  @Override
  public Integer call() {
    if (since != null && fromBeginning) {
      throw new ParameterException(
          spec.commandLine(), "give --since or --from-beginning, not both");
    }
    PrintStream out = Terminal.standardOutput();
    EventPrinter printer =
        json ? new JsonPrinter(out) : new TextPrinter(out, output.terminal(), false, true);
    try (LensflowClient client = LensflowClient.open(connection.client())) {
      if (settled) {
        try (SettledStream stream = client.settled(subscription())) {
          follow(stream, printer::print, SettledEvent.Complete.class::isInstance);
        }
      } else {
        try (LiveStream stream = client.live(subscription())) {
          follow(stream, printer::print, LiveEvent.Completed.class::isInstance);
        }
      }
    }
    return 0;
  }

  private Subscription subscription() {
    Subscription all =
        request != null
            ? Subscription.to(request, connection.client().clockSkew())
            : Subscription.toAll(start());
    if (request != null && (since != null || fromBeginning)) {
      all = all.withStart(start());
    }
    all = model == null ? all : all.withModel(model);
    return lenses == null ? all : all.withLenses(Set.copyOf(lenses));
  }

  private StartingPoint start() {
    if (fromBeginning) {
      return new StartingPoint.Earliest();
    }
    return since == null
        ? new StartingPoint.Latest()
        : new StartingPoint.At(Instant.now().minus(since));
  }

  private <E> void follow(FollowStream<E> stream, Consumer<E> printer, Predicate<E> isEnd) {
    while (!stream.hasEnded() && (count == null || ended < count)) {
      stream
          .next(LOOK)
          .ifPresent(
              event -> {
                printer.accept(event);
                ended += isEnd.test(event) ? 1 : 0;
              });
    }
  }
}
