package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.Progress;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Sampling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** {@code lens fit} beside a running system, on text that the model itself samples meanwhile. */
class LensFitIT {
  private static final Path DEMO = Path.of("..", "demo-model").toAbsolutePath().normalize();

  /** Beginnings of many kinds of text; the model goes on at temperature 1. */
  private static final List<String> OPENINGS =
      List.of(
          "The",
          "In the beginning",
          "A new study",
          "Once upon a time",
          "How to",
          "Dear",
          "1.",
          "The city of",
          "import",
          "When I was",
          "According to",
          "def ",
          "She said",
          "What is",
          "The history of",
          "Yesterday",
          "We propose",
          "If you",
          "Water",
          "My favourite",
          "Question:",
          "In 1998,",
          "The best way to",
          "There are three",
          "Chapter 1",
          "For example,",
          "The president",
          "He walked",
          "Scientists",
          "Let x be",
          "Ingredients:",
          "On the other hand");

  @TempDir private Path folder;

  @Test
  void shouldLearnALensFromTheLiveTopicThatBeatsThePlainOne() throws Exception {
    JsonNode report = fit(DEMO, "lensflow-demo", 7_000, 48, true, "0.15");

    assertThat(report.path("layers")).hasSize(7);
    for (JsonNode layer : report.path("layers")) {
      assertThat(kl(layer, "fitted")).as("%s", layer).isLessThan(kl(layer, "plain"));
      assertThat(kl(layer, "fitted")).as("%s", layer).isLessThan(kl(layer, "unigram"));
      assertThat(kl(layer, "fitted")).as("%s", layer).isLessThan(kl(layer, "biasOnly"));
    }
    assertThat(report.path("leftOut").path("chunksRefused").asInt()).isZero();
    assertThat(report.path("leftOut").path("rowsUnpaired").asInt()).isZero();
  }

  /**
   * The mark that a lens of a real model has to meet. Takes minutes: set LENSFLOW_FIT_MODEL to a
   * checkpoint's folder to run it, and LENSFLOW_FIT_REPORT to a file that keeps the report.
   */
  @Test
  @EnabledIfEnvironmentVariable(named = "LENSFLOW_FIT_MODEL", matches = ".+")
  void shouldMeetTheMarkOnARealModel() throws Exception {
    Path model = Path.of(System.getenv("LENSFLOW_FIT_MODEL"));
    JsonNode report = fit(model, model.getFileName().toString(), 24_000, 150, false, "0.1");
    assertThat(report.path("trainingRows").asLong()).isGreaterThanOrEqualTo(20_000);

    String keep = System.getenv("LENSFLOW_FIT_REPORT");
    if (keep != null) {
      Files.writeString(Path.of(keep), report.toPrettyString());
    }
    for (JsonNode layer : report.path("layers")) {
      assertThat(kl(layer, "fitted"))
          .as("%s", layer)
          .isLessThanOrEqualTo(0.35 * kl(layer, "plain"));
      assertThat(kl(layer, "fitted")).as("%s", layer).isLessThan(kl(layer, "unigram"));
      assertThat(layer.path("fitted").path("top1").asDouble())
          .as("%s", layer)
          .isGreaterThanOrEqualTo(layer.path("plain").path("top1").asDouble());
    }
  }

  private JsonNode fit(
      Path model, String name, int rows, int newTokens, boolean ignoreEos, String heldOut)
      throws Exception {
    Path lens = folder.resolve("own.safetensors");
    Path report = folder.resolve("report.json");
    try (LocalSystem system = started(model, name)) {
      // A text may end before it is as long as it may be.
      int requests = (ignoreEos ? rows : 2 * rows) / newTokens;
      for (int i = 0; i < requests; i++) {
        system.client().submit(sampled(name, i, newTokens, ignoreEos));
      }
      String[] command = {
        "lens",
        "fit",
        "own",
        "--model",
        model.toString(),
        "--served-name",
        name,
        "--rows",
        Integer.toString(rows),
        "--threads",
        "2",
        "--held-out",
        heldOut,
        "--seed",
        "1",
        "--out",
        lens.toString(),
        "--json",
        report.toString(),
        "--bootstrap-servers",
        system.kafka().bootstrapServers(),
        "--schema-registry",
        system.kafka().schemaRegistry().toString()
      };
      assertThat(Main.run(command)).isZero();
    }
    JsonNode json = new ObjectMapper().readTree(report.toFile());
    assertThat(json.path("trainingRows").asLong()).isGreaterThanOrEqualTo(rows * 6L / 10);
    assertThat(json.path("heldOutRows").asLong()).isPositive();
    try (Checkpoint checkpoint = Checkpoint.open(model);
        LensTranslator translator =
            LensTranslator.load(lens, checkpoint.config().model(), name, checkpoint.revision())) {
      assertThat(translator.name()).isEqualTo("own");
    }
    return json;
  }

  private LocalSystem started(Path model, String name) throws Exception {
    LocalSystem system =
        new LocalSystem(
            SystemPlan.embedded(model, name, "", folder.resolve("data"), Map.of()),
            Progress.SILENT);
    system.start();
    return system;
  }

  private static PromptRequest sampled(String model, int index, int newTokens, boolean ignoreEos) {
    // Ids of our own, so that the same texts are held out each time.
    return PromptRequest.newBuilder()
        .setRequestId("text-" + index)
        .setModel(model)
        .setPrompt(Prompt.newBuilder().setText(OPENINGS.get(index % OPENINGS.size())).build())
        .setSampling(Sampling.newBuilder().setTemperature(1).setSeed((long) index).build())
        .setMaxNewTokens(newTokens)
        .setIgnoreEos(ignoreEos)
        .setLenses(List.of())
        .setDeadline(Instant.now().plus(Duration.ofHours(2)))
        .build();
  }

  private static double kl(JsonNode layer, String lens) {
    return layer.path(lens).path("kl").asDouble();
  }
}
