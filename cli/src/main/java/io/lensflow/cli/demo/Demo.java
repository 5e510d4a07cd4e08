package io.lensflow.cli.demo;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.LensGrid;
import io.lensflow.cli.output.LensTable;
import io.lensflow.cli.output.SideBySide;
import io.lensflow.cli.output.Style;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.output.TextPrinter;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorFile;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.Submission;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ChatMessage;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Three prompts through the topics with what every layer said, then one prompt steered and
 * unsteered. Used by one thread.
 */
public final class Demo {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int NEW_TOKENS = 3;
  private static final int ANSWER_TOKENS = 10;
  private static final int SIDE_GAP = 3;
  private static final List<String> PROMPTS =
      List.of("The capital of France is", "The opposite of hot is", "Monday, Tuesday,");

  private final LocalSystem system;
  private final String model;
  private final PrintStream out;
  private final Terminal terminal;
  private final Style style;

  public Demo(LocalSystem system, String model, PrintStream out, Terminal terminal) {
    this.system = system;
    this.model = model;
    this.out = out;
    this.terminal = terminal;
    this.style = new Style(terminal.colour());
  }

  /** Sends the prompts together, shows them one after the other. */
  public void showPrompts() {
    LensflowClient client = system.client();
    List<Submission> sent = new ArrayList<>();
    for (String text : PROMPTS) {
      sent.add(client.submit(request(Prompt.newBuilder().setText(text).build(), NEW_TOKENS)));
    }
    for (int i = 0; i < sent.size(); i++) {
      SettledRequest answer = settle(client, sent.get(i));
      out.println();
      out.println(
          style.bold(PROMPTS.get(i)) + style.generated(answer.terminal().getFinished().getText()));
      out.println(style.dim(summary(answer)));
      new LensTable(terminal).render(LensGrid.of(answer.results()), 1).forEach(out::println);
    }
  }

  /**
   * Publishes a vector and asks one question with and without it.
   *
   * @param vectorFile the vector
   * @param question asked as a user's message
   * @param multiplier the vector's
   */
  public void showSteering(Path vectorFile, String question, float multiplier) {
    VectorFile vector = VectorFile.read(vectorFile, Optional.of(model), Optional.empty());
    int version = new SteeringApi(system.steeringUri()).publish(vector).path("version").asInt();
    LensflowClient client = system.client();
    Prompt prompt =
        Prompt.newBuilder().setMessages(List.of(new ChatMessage("user", question, null))).build();
    PromptRequest plain = request(prompt, ANSWER_TOKENS);
    PromptRequest steered = PromptRequest.newBuilder(plain).build();
    steered.setSteering(
        List.of(
            SteeringRequest.newBuilder()
                .setName(vector.name())
                .setVersion(version)
                .setMultiplier(multiplier)
                .setPositions("from_label")
                .build()));
    Submission first = client.submit(plain);
    Submission second = client.submit(steered);
    SettledRequest without = settle(client, first);
    SettledRequest with = settle(client, second);
    out.println();
    out.println(style.bold("Steering") + ": one question, without and with a vector");
    question.lines().forEach(line -> out.println(style.dim("  " + line)));
    out.println();
    SideBySide.join(column("unsteered", without), column(applied(with), with), SIDE_GAP)
        .forEach(out::println);
  }

  private static String applied(SettledRequest answer) {
    return answer.results().stream()
        .findFirst()
        .map(result -> TextPrinter.steering(result.getSteering()))
        .orElse("steered");
  }

  /** Half a terminal: the answer, and the layers at the positions where it forms. */
  private List<String> column(String title, SettledRequest answer) {
    LensTable table =
        new LensTable(new Terminal((terminal.columns() - SIDE_GAP) / 2, terminal.colour()));
    LensGrid grid = LensGrid.of(answer.results());
    int labelled = answer.terminal().getFinished().getPromptTokens() - 1;
    List<String> lines = new ArrayList<>();
    lines.add(style.bold(title));
    lines.add(style.generated(answer.terminal().getFinished().getText()));
    lines.addAll(table.renderFirstBlock(grid, labelled));
    return lines;
  }

  private SettledRequest settle(LensflowClient client, Submission sent) {
    try (SettledStream stream = client.settled(Subscription.to(sent))) {
      SettledRequest answer = SettledRequest.gather(stream, PATIENCE);
      if (answer.terminal().getType() != CompletionType.FINISHED) {
        throw new CommandFailure(
            "a request of the demo %s: %s"
                .formatted(
                    answer.terminal().getType().name().toLowerCase(java.util.Locale.ROOT),
                    answer.terminal().getFailure().getMessage()));
      }
      return answer;
    }
  }

  private PromptRequest request(Prompt prompt, int maxNewTokens) {
    LensRequest lens =
        LensRequest.newBuilder()
            .setTopK(1)
            .setMetrics(List.of(LensMetric.TOP_K, LensMetric.ENTROPY))
            .build();
    return PromptRequest.newBuilder()
        .setModel(model)
        .setPrompt(prompt)
        .setMaxNewTokens(maxNewTokens)
        .setLenses(List.of(lens))
        .build();
  }

  private static String summary(SettledRequest answer) {
    var finished = answer.terminal().getFinished();
    return "%d + %d tokens, %d rows a layer, %.0f ms; what each layer would say next:"
        .formatted(
            finished.getPromptTokens(),
            finished.getGeneratedTokens(),
            finished.getRows(),
            finished.getTimings().getTotalMicros() / 1e3);
  }
}
