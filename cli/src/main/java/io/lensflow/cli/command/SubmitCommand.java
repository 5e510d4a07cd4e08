package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.option.DurationConverter;
import io.lensflow.cli.option.OutputOptions;
import io.lensflow.cli.option.RequestOptions;
import io.lensflow.cli.output.EventPrinter;
import io.lensflow.cli.output.JsonPrinter;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.output.TextPrinter;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.ServedModel;
import io.lensflow.client.Submission;
import io.lensflow.client.WaitTimeoutException;
import io.lensflow.client.follow.FollowStream;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.client.json.EventJson;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.text.spec.LayerSpec;
import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lensflow submit}: one prompt through the topics. */
@Command(
    name = "submit",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Send a prompt and print tokens and lens results as they arrive.",
      "Exit code 0 if the request finished, 1 if it failed or did not end in time."
    })
public final class SubmitCommand implements Callable<Integer> {
  /** Results follow the terminal event within seconds; a decoder that is behind may take longer. */
  private static final Duration AFTER_DEADLINE = Duration.ofMinutes(1);

  @Mixin RequestOptions request;
  @Mixin ConnectionOptions connection;
  @Mixin OutputOptions output;

  @Option(
      names = "--json",
      description = "One JSON object a line on standard output, everything else on standard error.")
  boolean json;

  @Option(
      names = "--settled",
      description = "Print the winning attempt only, once, in order, after the request has ended.")
  boolean settled;

  @Option(
      names = "--table",
      description = "Print lens results as a table layers x tokens at the end.")
  boolean table;

  @Option(
      names = "--batch",
      description = "Send it to the model's batch lane: it runs behind the requests of others.")
  boolean batch;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      converter = DurationConverter.class,
      description = "How long to wait for everything (default: the deadline and a minute more).")
  Duration timeout;

  @Override
  public Integer call() {
    PromptRequest prompt = request.toRequest(Clock.systemUTC());
    PrintStream out = Terminal.standardOutput();
    EventPrinter printer =
        json ? new JsonPrinter(out) : new TextPrinter(out, output.terminal(), table, false);
    try (LensflowClient client = LensflowClient.open(connection.client())) {
      check(client, prompt);
      Submission sent = batch ? client.submitToBatchLane(prompt) : client.submit(prompt);
      Thread cancel = cancelOnInterrupt(client, sent.requestId());
      try {
        return follow(client, sent, printer);
      } catch (WaitTimeoutException e) {
        if (json) {
          out.println(EventJson.failed(sent.requestId(), "TIMEOUT", e.getMessage()));
        }
        throw e;
      } finally {
        forget(cancel);
      }
    }
  }

  /** Says at once what the workers would say later, and that nobody is there to answer. */
  private void check(LensflowClient client, PromptRequest prompt) {
    client.models().awaitReady(connection.connectTimeout());
    ServedModel model =
        prompt.getModel().isEmpty()
            ? client.models().models().stream().findFirst().orElse(null)
            : client.models().model(prompt.getModel()).orElse(null);
    if (model == null) {
      Terminal.standardError()
          .printf(
              "lensflow: no live worker serves %s; the request waits for one until its deadline%n",
              prompt.getModel().isEmpty() ? "any model" : "'" + prompt.getModel() + "'");
      return;
    }
    try {
      if (!prompt.getCapture().getHookPoints().isEmpty()) {
        LayerSpec.resolve(prompt.getCapture().getLayers(), model.layers());
      }
    } catch (IllegalArgumentException e) {
      throw new CommandFailure("--layers: " + e.getMessage(), e);
    }
  }

  private int follow(LensflowClient client, Submission sent, EventPrinter printer) {
    Duration patience = timeout != null ? timeout : request.deadline().plus(AFTER_DEADLINE);
    Subscription subscription = Subscription.to(sent);
    CompletionType[] end = {CompletionType.UNKNOWN};
    if (settled) {
      try (SettledStream stream = client.settled(subscription)) {
        readAll(
            stream,
            patience,
            event -> {
              printer.print(event);
              if (event instanceof SettledEvent.Outcome outcome) {
                end[0] = outcome.terminal().getType();
              }
            });
      }
    } else {
      try (LiveStream stream = client.live(subscription)) {
        readAll(
            stream,
            patience,
            event -> {
              printer.print(event);
              if (event instanceof LiveEvent.Ended ended) {
                end[0] = ended.event().getType();
                sayFailure(ended.event());
              }
            });
      }
    }
    return end[0] == CompletionType.FINISHED ? 0 : 1;
  }

  private static void sayFailure(CompletionEvent event) {
    if (event.getFailure() != null) {
      Terminal.standardError()
          .printf(
              "lensflow: the request %s: %s%s%n",
              event.getType() == CompletionType.CANCELLED ? "was cancelled" : "failed",
              event.getFailure().getField() == null ? "" : event.getFailure().getField() + ": ",
              event.getFailure().getMessage());
    }
  }

  private static <E> void readAll(FollowStream<E> stream, Duration patience, Consumer<E> sink) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!stream.hasEnded()) {
      sink.accept(stream.await(Duration.ofNanos(Math.max(0, deadline - System.nanoTime()))));
    }
  }

  /** Ctrl-C takes the request back, so that no worker goes on for nobody. */
  private static Thread cancelOnInterrupt(LensflowClient client, String requestId) {
    Thread hook =
        new Thread(() -> client.cancel(requestId, "interrupted by the user"), "submit-cancel");
    Runtime.getRuntime().addShutdownHook(hook);
    return hook;
  }

  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // already shutting down: the hook runs
    }
  }
}
