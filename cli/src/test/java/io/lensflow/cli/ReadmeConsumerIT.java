package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.client.ClientOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.decoder.DecoderService;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.worker.WorkerService;
import io.lensflow.worker.WorkerSettings;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The consumer that the README shows runs as it stands there; only where Kafka is differs. */
@ExtendWith(KafkaExtension.class)
class ReadmeConsumerIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String MODEL = "lensflow-demo";
  private static final int NEW_TOKENS = 4;
  private static final Pattern PYTHON_BLOCK =
      Pattern.compile("^```python\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  @Test
  void shouldBeTheShippedExampleWhenReadInTheReadme() throws IOException {
    assertThat(readmeConsumer())
        .isEqualTo(Files.readString(Checkout.path("docs/examples/consumer.py")));
  }

  @Test
  void shouldPrintWhatEveryLayerSaysWhenRunFromTheReadme(
      KafkaEnvironment kafka, @TempDir Path folder) throws Exception {
    String consumer = readmeConsumer();
    Python python = Python.withPackages();
    SettledRequest answer = run(kafka);
    List<String> expected =
        answer.results().stream()
            .flatMap(result -> LensRow.of(result).stream())
            .map(ReadmeConsumerIT::line)
            .toList();
    assertThat(expected).hasSize(8 * answer.terminal().getFinished().getRows());

    consumer = point(consumer, "localhost:9092", kafka.bootstrapServers());
    consumer = point(consumer, "http://localhost:8081", kafka.registryUri().toString());
    consumer = point(consumer, "lens-results", kafka.catalogue().lensResults());
    Path script = Files.writeString(folder.resolve("consumer.py"), consumer);

    assertThat(python.runUntil(expected.size(), script, LIMIT)).isEqualTo(expected);
  }

  /** The first block of Python in the README; the test is skipped while there is none. */
  private static String readmeConsumer() throws IOException {
    Path readme = Checkout.path("README.md");
    Matcher block = PYTHON_BLOCK.matcher(Files.exists(readme) ? Files.readString(readme) : "");
    Assumptions.assumeTrue(block.find(), "Skipped: README.md shows no Python yet");
    return block.group(1);
  }

  private static String point(String script, String from, String to) {
    assertThat(script).containsOnlyOnce(from);
    return script.replace(from, to);
  }

  private static SettledRequest run(KafkaEnvironment kafka) throws Exception {
    kafka.createTopics();
    KafkaSettings settings =
        new KafkaSettings(
            kafka.bootstrapServers(),
            kafka.registryUri(),
            kafka.catalogue().prefix(),
            kafka.catalogue().requestPartitions(),
            (short) 1,
            Map.of());
    ClientOptions options =
        ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
    try (WorkerService worker = startWorker(settings);
        DecoderService decoder = startDecoder(settings);
        LensflowClient client = LensflowClient.open(options)) {
      Await.until(
          "the worker serves",
          LIMIT,
          () -> client.models().model(worker.settings().servedName()).isPresent());
      Await.until("the decoder reads", LIMIT, () -> decoder.readiness().ready());
      PromptRequest request =
          PromptRequest.newBuilder()
              .setDeadline(Instant.now().plus(LIMIT))
              .setModel(MODEL)
              .setPrompt(Prompt.newBuilder().setText("The capital of France is").build())
              .setMaxNewTokens(NEW_TOKENS)
              .build();
      return client.run(request, LIMIT);
    }
  }

  private static WorkerService startWorker(KafkaSettings settings) {
    return WorkerService.start(
        WorkerSettings.load(
            Map.of(
                "lensflow.worker.model", Checkout.path("demo-model").toString(),
                "lensflow.worker.served-name", MODEL,
                "lensflow.worker.slots", 1,
                "lensflow.worker.threads", 1,
                "lensflow.worker.http.port", 0)),
        settings);
  }

  private static DecoderService startDecoder(KafkaSettings settings) throws Exception {
    return DecoderService.start(
        DecoderSettings.load(
            Map.of(
                "lensflow.decoder.model",
                MODEL,
                "lensflow.decoder.checkpoint",
                Checkout.path("demo-model").toString(),
                "lensflow.decoder.threads",
                1,
                "lensflow.decoder.port",
                0)),
        settings);
  }

  /** What the consumer should print of a row. */
  private static String line(LensRow row) {
    LensRow.Candidate top = row.top().get(0);
    BigDecimal probability = new BigDecimal(top.probability()).setScale(2, RoundingMode.HALF_EVEN);
    return "layer %2d after %s: %s (%s)"
        .formatted(row.layer(), literal(row.tokenText()), literal(top.text()), probability);
  }

  /** A text as Python writes it in source. */
  private static String literal(String text) {
    String escaped = text.replace("\\", "\\\\").replace("\n", "\\n");
    return text.contains("'") && !text.contains("\"")
        ? "\"" + escaped + "\""
        : "'" + escaped.replace("'", "\\'") + "'";
  }
}
