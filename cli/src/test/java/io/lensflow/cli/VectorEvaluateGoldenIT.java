package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.DataFile;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Propensities and slopes of a real model, measured through the whole pipeline in float32, against
 * those that transformers and numpy found. A few items always; all of them, some minutes, when it
 * is asked for: {@code mvn verify -pl cli -am -Dlensflow.golden.evaluate=true -Dtest=None
 * -Dit.test=VectorEvaluateGoldenIT}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VectorEvaluateGoldenIT {
  /** The goldens' propensities have five decimals. */
  private static final double PROPENSITY = 1e-3;

  @TempDir private static Path folder;

  private final ObjectMapper json = new ObjectMapper();
  private GoldenSteering golden;

  @BeforeAll
  void start() throws Exception {
    golden = GoldenSteering.start(folder);
  }

  @AfterAll
  void stop() {
    if (golden != null) {
      golden.close();
    }
  }

  @Test
  void shouldAgreeOnAFewItems() throws Exception {
    JsonNode reference = golden.reference("corrigible-neutral-HHH", "RESIDUAL_POST");
    List<Integer> items = List.of(203, 217);

    Evaluation found = evaluate(reference, items, List.of(-1.5, 0.0, 1.5), true);

    for (int i = 0; i < items.size(); i++) {
      JsonNode expected = reference.path("propensity").get(items.get(i) - 200);
      assertThat(found.propensity().get(i))
          .containsExactly(
              new double[] {
                expected.get(0).asDouble(), expected.get(3).asDouble(), expected.get(6).asDouble()
              },
              within(PROPENSITY));
    }
    assertThat(found.controls()).extracting(Evaluation.Control::kind).containsExactly("RANDOM");
  }

  @ParameterizedTest
  @EnabledIfSystemProperty(named = "lensflow.golden.evaluate", matches = "true")
  @CsvSource({
    "corrigible-neutral-HHH, ATTENTION_INPUT",
    "corrigible-neutral-HHH, RESIDUAL_POST",
    "interest-in-science, ATTENTION_INPUT",
    "interest-in-science, RESIDUAL_POST"
  })
  void shouldAgreeOnAllItems(String dataset, String hook) throws Exception {
    JsonNode reference = golden.reference(dataset, hook);

    Evaluation found =
        evaluate(reference, list(reference, "test"), doubles(reference.path("multipliers")), false);

    double worst = 0;
    for (int i = 0; i < found.propensity().size(); i++) {
      List<Double> expected = doubles(reference.path("propensity").get(i));
      for (int m = 0; m < expected.size(); m++) {
        worst = Math.max(worst, Math.abs(found.propensity().get(i)[m] - expected.get(m)));
      }
    }
    List<Double> slopes = doubles(reference.path("slopes"));
    double worstSlope = 0;
    for (int i = 0; i < slopes.size(); i++) {
      worstSlope = Math.max(worstSlope, Math.abs(found.slopes().get(i) - slopes.get(i)));
      assertThat(found.slopes().get(i))
          .isCloseTo(slopes.get(i), within(1e-4 + 0.01 * Math.abs(slopes.get(i))));
    }
    System.out.printf(
        Locale.ROOT,
        "%s %s: propensities within %.1e, slopes within %.1e, mean slope %.6f of %.6f%n",
        dataset,
        hook,
        worst,
        worstSlope,
        found.meanSlope(),
        reference.path("meanSlope").asDouble());
    assertThat(worst).isLessThanOrEqualTo(PROPENSITY);
    assertThat(found.meanSlope()).isCloseTo(reference.path("meanSlope").asDouble(), within(1e-4));
    assertThat(found.stdSlope())
        .isCloseTo(
            reference.path("stdSlope").asDouble(),
            within(1e-4 + 0.01 * reference.path("stdSlope").asDouble()));
    assertThat(found.antiSteerableFraction())
        .as("an item whose slope is as good as 0 may fall on either side")
        .isCloseTo(reference.path("antiSteerableFraction").asDouble(), within(0.05));
  }

  private Evaluation evaluate(
      JsonNode reference, List<Integer> test, List<Double> multipliers, boolean controls)
      throws Exception {
    String dataset = reference.path("dataset").asText();
    String name = "golden-" + reference.path("hook").asText() + "-" + dataset;
    JsonNode published =
        golden.api().post(ApiPath.vector(GoldenSteering.MODEL, name), vector(reference));
    DataFile data = DataFile.read(SharedData.folder("datasets").resolve(dataset + ".jsonl"));
    ObjectNode body =
        JsonNodeFactory.instance
            .objectNode()
            .put("name", name)
            .put("data", data.text())
            .put("dataset", dataset)
            .put("format", reference.path("promptFormat").asText())
            .put("test", test.stream().map(String::valueOf).collect(Collectors.joining(",")))
            .put("neutral", "")
            .put("controls", controls);
    body.set("version", published.path("version"));
    ArrayNode at = body.putArray("multipliers");
    multipliers.forEach(at::add);
    JsonNode job =
        golden.api().post(ApiPath.model(GoldenSteering.MODEL, "evaluations"), body.toString());
    try (FollowedJob followed = new FollowedJob(golden.api(), job, "evaluating", "requests")) {
      return json.treeToValue(followed.await().path("result"), Evaluation.class);
    }
  }

  private String vector(JsonNode reference) throws IOException {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.set("layer", reference.path("layer"));
    body.set("hookPoint", reference.path("hook"));
    ArrayNode values = body.putArray("values");
    for (float value : golden.vector("label", reference)) {
      values.add(value);
    }
    return body.toString();
  }

  private static List<Integer> list(JsonNode entry, String field) {
    List<Integer> numbers = new ArrayList<>();
    entry.path(field).forEach(number -> numbers.add(number.asInt()));
    return numbers;
  }

  private static List<Double> doubles(JsonNode array) {
    List<Double> numbers = new ArrayList<>();
    array.forEach(number -> numbers.add(number.asDouble()));
    return numbers;
  }
}
