package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.DataFile;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.testkit.SharedData;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Vectors of a real model, built through the whole pipeline in float32, against those that
 * transformers and numpy made. It reads some 30,000 tokens, a minute or more, so that it runs when
 * it is asked for: {@code mvn verify -pl cli -am -Dlensflow.golden.build=true -Dtest=None
 * -Dit.test=VectorBuildGoldenIT}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIfSystemProperty(named = "lensflow.golden.build", matches = "true")
class VectorBuildGoldenIT {
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

  @ParameterizedTest
  @CsvSource({
    "corrigible-neutral-HHH, mean-difference, label, label",
    "corrigible-neutral-HHH, mean-difference, none, none",
    "corrigible-neutral-HHH, pca, label, pca",
    "interest-in-science, mean-difference, label, label",
    "interest-in-science, mean-difference, none, none",
    "interest-in-science, pca, label, pca",
  })
  void shouldAgreeWithTheReferenceWhenBuiltThroughThePipeline(
      String dataset, String method, String balance, String kind) throws Exception {
    JsonNode first = golden.reference(dataset, "ATTENTION_INPUT");
    JsonNode second = golden.reference(dataset, "RESIDUAL_POST");
    JsonNode result = build(dataset, method, balance, first, second);
    for (JsonNode reference : new JsonNode[] {first, second}) {
      JsonNode site = site(result, reference);
      float[] expected = golden.vector(kind, reference);
      float[] actual = json.treeToValue(site.path("values"), float[].class);
      double cosine = dot(expected, actual) / norm(expected) / norm(actual);
      System.out.printf(
          Locale.ROOT,
          "%s %s %s: 1 - cosine %.2e, norm %.6f of %.6f%n",
          dataset,
          kind,
          reference.path("hook").asText(),
          1 - cosine,
          norm(actual),
          norm(expected));
      assertThat(cosine).isGreaterThanOrEqualTo(0.99999);
      assertThat(norm(actual)).isCloseTo(norm(expected), within(1e-4 * norm(expected)));
      if (kind.equals("label") || kind.equals("none")) {
        String share = kind.equals("label") ? "labelShare" : "labelShareOfPlainMean";
        assertThat(site.path("labelShare").asDouble())
            .isCloseTo(reference.path(share).asDouble(), within(1e-4));
      }
    }
  }

  /** Both sites of a data set in one pass over the data. */
  private JsonNode build(
      String dataset, String method, String balance, JsonNode first, JsonNode second)
      throws Exception {
    SteeringApi api = golden.api();
    DataFile data = DataFile.read(SharedData.folder("datasets").resolve(dataset + ".jsonl"));
    StringBuilder train = new StringBuilder();
    first.path("train").forEach(item -> train.append(train.isEmpty() ? "" : ",").append(item));
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("name", "golden").put("data", data.text()).put("dataset", dataset);
    body.put("layers", first.path("layer").asInt() + "," + second.path("layer").asInt());
    body.putArray("hookPoints").add(first.path("hook").asText()).add(second.path("hook").asText());
    body.put("format", first.path("promptFormat").asText()).put("train", train.toString());
    body.put("method", method).put("balance", balance).put("publish", false);
    JsonNode job = api.post(ApiPath.model(GoldenSteering.MODEL, "builds"), body.toString());
    try (FollowedJob followed = new FollowedJob(api, job, "building", "items")) {
      return followed.await().path("result");
    }
  }

  private static JsonNode site(JsonNode result, JsonNode reference) {
    for (JsonNode site : result.path("sites")) {
      if (site.path("layer").equals(reference.path("layer"))
          && site.path("hookPoint").asText().equals(reference.path("hook").asText())) {
        return site;
      }
    }
    throw new AssertionError("no such site in " + result);
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static double norm(float[] a) {
    return Math.sqrt(dot(a, a));
  }
}
