package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.DataFile;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.Control;
import io.lensflow.testkit.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Evaluations on the demo model, through the whole system: command, service, worker, decoder. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VectorEvaluateIT {
  private static final String MODEL = "lensflow-demo";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir private static Path folder;

  private final Path data = Checkout.path("demo-model/data/risk-taking.jsonl");
  private LocalSystem system;
  private SteeringApi api;

  @BeforeAll
  void start() throws Exception {
    system =
        new LocalSystem(
            SystemPlan.embedded(
                Checkout.path("demo-model"),
                MODEL,
                "bfloat16",
                folder.resolve("system"),
                Map.of("lensflow.steering.evaluate.max-requests", 5_000)),
            line -> {});
    system.start();
    api = new SteeringApi(system.steeringUri());
  }

  @AfterAll
  void stop() {
    if (system != null) {
      system.close();
    }
  }

  @Test
  void shouldFindTheBestSiteAndSteerStronglyThere() throws Exception {
    Path json = folder.resolve("found.json");
    Path html = folder.resolve("found.html");
    Path neutral = Files.writeString(folder.resolve("neutral.txt"), "The capital of France is");
    int exit =
        Main.run(
            ("vectors evaluate swept --url %s --data %s --format chat --sweep --publish --layer 2,4"
                    + " --hook-point RESIDUAL_POST --train 0-19 --validation 100-103"
                    + " --test 150-157 --multipliers=-1,0,1 --generate-questions 1"
                    + " --max-new-tokens 8 --neutral %s --json %s --html %s")
                .formatted(system.steeringUri(), data, neutral, json, html)
                .split(" "));
    assertThat(exit).isZero();

    Evaluation found = new ObjectMapper().readValue(json.toFile(), Evaluation.class);
    assertThat(found.sweep().cells())
        .hasSize(2)
        .allSatisfy(
            cell ->
                assertThat(cell.slopes().items())
                    .as("judged by the validation items")
                    .isEqualTo(4));
    assertThat(found.sweep().best().layer()).isEqualTo(2);
    assertThat(found.vector()).isEqualTo("swept@1");
    assertThat(found.meanSlope()).isGreaterThan(1).isGreaterThan(found.meanSlopeInterval().low());
    assertThat(found.antiSteerableFraction()).isZero();
    assertThat(found.r2()).isGreaterThan(0.9);
    assertThat(found.byLabel()).hasSize(2).allMatch(group -> group.slopes().mean() > 1);
    assertThat(found.controls())
        .extracting(Control::kind)
        .containsExactly(Evaluation.RANDOM, Evaluation.SHUFFLED_LABELS);
    assertThat(found.controls())
        .allSatisfy(
            control -> assertThat(control.norm() / found.vectorNorm()).isBetween(0.9999, 1.0001))
        .satisfiesExactly(
            random ->
                assertThat(Math.abs(random.slopes().mean())).isLessThan(found.meanSlope() / 2),
            shuffled -> assertThat(shuffled.builtNorm()).isLessThan(found.vectorNorm() / 2));
    assertThat(found.sideEffects().exact()).isTrue();
    assertThat(found.sideEffects().coveredProbability()).isBetween(0.9999, 1.0001);
    assertThat(found.sideEffects().points())
        .satisfiesExactly(
            low -> assertThat(low.kl()).isGreaterThan(0.1),
            none -> assertThat(none.kl()).isLessThan(1e-6),
            high -> assertThat(high.kl()).isGreaterThan(0.1));
    assertThat(found.generations()).singleElement().satisfies(VectorEvaluateIT::differs);
    assertThat(Files.readString(html)).contains("swept@1", "Layers and hook points", "<svg");
    Path later = folder.resolve("later.html");
    String newest = api.get(ApiPath.jobs()).at("/jobs/0/id").asText();
    exit =
        Main.run(
            "vectors jobs show %s --url %s --table --html %s"
                .formatted(newest, system.steeringUri(), later)
                .split(" "));
    assertThat(exit).isZero();
    assertThat(later).hasSameTextualContentAs(html);
    assertThat(names(api.get(ApiPath.model(MODEL, "vectors").with("ofJobs", "true"))))
        .contains("swept")
        .noneMatch(name -> name.startsWith("job."));
  }

  private static void differs(Evaluation.Generation generation) {
    assertThat(generation.continuations()).hasSize(3);
    assertThat(generation.continuations().get(0).text())
        .isNotBlank()
        .isNotEqualTo(generation.continuations().get(2).text());
  }

  @Test
  void shouldRetireItsVectorsWhenCancelled() throws Exception {
    publish("tone");
    ObjectNode body = request("tone");
    body.put("test", "0-49");
    IntStream.range(0, 40).forEach(body.putArray("multipliers")::add);
    JsonNode job = api.post(ApiPath.model(MODEL, "evaluations"), body.toString());
    ApiPath all = ApiPath.model(MODEL, "vectors").with("ofJobs", "true");
    String name = "job." + job.path("id").asText();
    Await.until("its control is there", LIMIT, () -> names(api.get(all)).contains(name));
    assertThat(names(api.get(ApiPath.model(MODEL, "vectors")))).doesNotContain(name);

    api.post(FollowedJob.path(job.path("id").asText()).then("cancel"), "");

    Await.until("its control is gone", LIMIT, () -> !names(api.get(all)).contains(name));
    assertThat(api.get(FollowedJob.path(job.path("id").asText())).path("state").asText())
        .isEqualTo("CANCELLED");
  }

  @Test
  void shouldKnowWhatAVectorWasBuiltFrom() throws Exception {
    ObjectNode build = request("built").put("layers", "3").put("train", "4-7");
    build.remove("version");
    JsonNode job = api.post(ApiPath.model(MODEL, "builds"), build.toString());
    try (FollowedJob followed = new FollowedJob(api, job, "building", "items")) {
      followed.await();
    }
    refuses(request("built").put("test", "6-9"), "test: items 6-7 are in train");
  }

  @Test
  void shouldRefuseWhatMakesNoSenseByField() {
    publish("tone");
    refuses(request("tone"), "test: must say the items to judge by");
    refuses(request("tone").put("test", "0-5").put("train", "3-9"), "test: items 3-5 are in train");
    refuses(request("tone").put("test", "all").put("split", 3), "test: items ");
    refuses(request("absent").put("test", "0-5"), "name: model 'lensflow-demo' has no vector");
    refuses(request("tone").put("test", "0-5").put("version", 9999), "version: ");
    refuses(request("tone").put("test", "0-5").put("positions", "x"), "positions: ");
    refuses(request("tone").put("test", "0-5").put("format", "prose"), "format: 'prose'");
    refuses(request("tone").put("test", "0-5").put("layer", 7), "layer: 0 of the version's sites");
    refuses(request("tone").put("test", "0-5").put("neutral", "x ".repeat(300)), "neutral: ");
    refuses(request("tone").put("test", "0-5").put("data", "{}"), "data: 'mine' has no usable");
    ObjectNode one = request("tone").put("test", "0-5");
    one.putArray("multipliers").add(1);
    refuses(one, "multipliers: a slope needs");
    ObjectNode many = request("tone").put("test", "all").put("controls", false);
    IntStream.range(0, 41).forEach(many.putArray("multipliers")::add);
    refuses(many, "more than 5000; take fewer items, multipliers or sites, or raise");
    assertThatThrownBy(() -> publish("job.mine")).hasMessageContaining("is kept for jobs");
  }

  private void refuses(ObjectNode body, String message) {
    assertThatThrownBy(() -> api.post(ApiPath.model(MODEL, "evaluations"), body.toString()))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining(message);
  }

  private ObjectNode request(String name) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("name", name)
        .put("version", 1)
        .put("data", DataFile.read(data).text())
        .put("dataset", "mine");
  }

  /** A vector at one site; every test may publish it once more. */
  private void publish(String name) {
    ObjectNode body =
        JsonNodeFactory.instance.objectNode().put("layer", 3).put("hookPoint", "MLP_INPUT");
    IntStream.range(0, 192).forEach(i -> body.withArray("values").add(i % 7 - 3));
    api.post(ApiPath.vector(MODEL, name), body.toString());
  }

  private static List<String> names(JsonNode answer) {
    return StreamSupport.stream(answer.path("vectors").spliterator(), false)
        .map(vector -> vector.path("name").asText())
        .toList();
  }
}
