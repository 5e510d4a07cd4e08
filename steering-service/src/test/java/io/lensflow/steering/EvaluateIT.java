package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.HookPoint;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.steering.vector.ChangePlanner;
import io.lensflow.steering.vector.Drafts;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** What evaluations know of the vectors that they judge, and of their data. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvaluateIT {
  private static final String EVALUATIONS = "/v1/models/" + FakeWorker.MODEL + "/evaluations";
  private static final int ITEMS = 16;

  /** What 16 sites of a mean hold are more, and 12 items' rows at 4 sites. */
  private static final int MAX_HELD_BYTES = 1100;

  /** Its test part has some of the items 4 … 7. */
  private static final long SPLIT = 3;

  private RunningService service;
  private FakeWorker worker;

  @BeforeAll
  void start(KafkaEnvironment kafka) throws Exception {
    service =
        new RunningService(
            kafka,
            Map.of(
                "lensflow.steering.tokenizers",
                BuildJobs.tokenizers(),
                "lensflow.steering.jobs.max-held-bytes",
                MAX_HELD_BYTES));
    worker = new FakeWorker(kafka);
    worker.allow(Integer.MAX_VALUE);
    BuildJobs.awaitWorker(service.http());
  }

  @AfterAll
  void stop() throws Exception {
    worker.close();
    service.close();
  }

  private static ObjectNode request(String name, String test) {
    ObjectNode body =
        JsonNodeFactory.instance
            .objectNode()
            .put("name", name)
            .put("version", 1)
            .put("data", BuildJobs.data(ITEMS))
            .put("format", "plain")
            .put("neutral", "")
            .put("test", test);
    body.putArray("multipliers").add(-1).add(1);
    return body;
  }

  private JsonNode run(String path, ObjectNode body) {
    return runJob(path, body).path("result");
  }

  private JsonNode runJob(String path, ObjectNode body) {
    Answer answer = service.http().post(path, body.toString());
    assertThat(answer.status()).as(answer.text()).isEqualTo(202);
    JsonNode done = BuildJobs.await(service.http(), answer.json().path("id").asText());
    assertThat(done.path("state").asText()).as(done.toPrettyString()).isEqualTo("SUCCEEDED");
    return done;
  }

  private void refuses(ObjectNode body, String message) {
    Answer answer = service.http().post(EVALUATIONS, body.toString());
    assertThat(answer.text()).contains(message);
    assertThat(answer.status()).isEqualTo(400);
  }

  private static List<String> texts(JsonNode array, String field) {
    return StreamSupport.stream(array.spliterator(), false)
        .map(entry -> entry.path(field).asText())
        .toList();
  }

  private static List<Integer> numbers(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asInt).toList();
  }

  @Test
  void shouldNeverJudgeAVectorByTheItemsThatItWasBuiltFrom() {
    run(BuildJobs.BUILDS, BuildJobs.request("built", ITEMS).put("train", "4-7"));

    refuses(request("built", "6-9"), "test: items 6-7 are in train too");
    refuses(
        request("built", "6-9").put("train", "0-3"),
        "test: items 6-7 are in the items that it was built from too");
    ObjectNode split = request("built", "").put("split", SPLIT);
    split.remove("test");
    refuses(split, "are in the items that it was built from too");
  }

  @Test
  void shouldWarnWhenNobodyKnowsAnyMoreWhichItemsAVectorWasBuiltFrom() {
    JsonNode build = runJob(BuildJobs.BUILDS, BuildJobs.request("old", ITEMS).put("train", "0-3"));
    service.http().delete("/v1/jobs/" + build.path("id").asText());
    assertThat(run(EVALUATIONS, request("old", "4-7")).path("warnings")).isEmpty();

    String hash = build.at("/result/datasetHash").asText();
    publish("told", "'items': '0-3,5', 'datasetHash': '%s'".formatted(hash));
    refuses(request("told", "4-7"), "test: items 5 are in train too");
    publish("untold", "'datasetHash': '%s'".formatted(hash));
    assertThat(run(EVALUATIONS, request("untold", "4-7").put("train", "0-3")).path("warnings"))
        .singleElement()
        .asString()
        .contains("test items may be among them");
  }

  @Test
  void shouldBuildTheControlOfShuffledLabelsAsTheVectorWasBuilt() {
    run(
        BuildJobs.BUILDS,
        BuildJobs.request("plain", ITEMS).put("train", "0-7").put("balance", "NONE"));

    assertThat(run(EVALUATIONS, request("plain", "8-11")).path("balance").asText())
        .isEqualTo("NONE");
    ObjectNode otherwise = request("plain", "8-11").put("balance", "LABEL");
    assertThat(run(EVALUATIONS, otherwise).path("balance").asText()).isEqualTo("LABEL");
  }

  /** Item 2, in line 3, is none; item 4 has three choices. */
  private static String faultyData() {
    return BuildJobs.data(ITEMS)
        .replaceFirst("(?m)^.*is 2 \\+ 7.*$", "{}")
        .replace("is 4 + 7?", "is 4 + 7?\\n (C) neither");
  }

  @Test
  void shouldCountTheLinesOfEveryPartThatCannotBeUsed() {
    publish("tone");
    ObjectNode ranges = request("tone", "8-11").put("data", faultyData()).put("train", "0-7");
    JsonNode result = run(EVALUATIONS, ranges);
    assertThat(texts(result.path("skipped"), "line")).containsExactly("3");
    assertThat(result.path("skippedCount").asInt()).isEqualTo(1);
    assertThat(result.path("moreThanTwoChoices").asInt()).isEqualTo(1);
  }

  @Test
  void shouldCountTheLinesThatASplitCannotRead() {
    publish("tone");
    ObjectNode evaluation = request("tone", "").put("data", faultyData()).put("split", SPLIT);
    evaluation.remove("test");
    assertThat(texts(run(EVALUATIONS, evaluation).path("skipped"), "line")).containsExactly("3");

    ObjectNode build =
        BuildJobs.request("halved", ITEMS)
            .put("data", faultyData())
            .put("balance", "NONE")
            .put("split", SPLIT);
    JsonNode result = run(BuildJobs.BUILDS, build);
    assertThat(result.path("skippedCount").asInt()).isEqualTo(1);
    assertThat(texts(result.path("skipped"), "line")).containsExactly("3");
  }

  @Test
  void shouldSayWhyAControlIsMissing() {
    publish("tone");
    JsonNode result = run(EVALUATIONS, request("tone", "0-3"));
    assertThat(texts(result.path("controls"), "kind")).containsExactly("RANDOM");
    assertThat(result.at("/warnings/0").asText())
        .contains("no control of shuffled labels", "say train");

    // One item of each order: none can be exchanged for another.
    JsonNode few = run(EVALUATIONS, request("tone", "4-7").put("train", "0-1"));
    assertThat(texts(few.path("controls"), "kind")).containsExactly("RANDOM");
    assertThat(few.at("/warnings/0").asText())
        .contains("no control of shuffled labels", "MLP_INPUT of layer 1");

    JsonNode none = run(EVALUATIONS, request("tone", "0-3").put("controls", false));
    assertThat(none.path("warnings")).isEmpty();
  }

  @Test
  void shouldRetireWhatAJobThatIsOverHasLeft() {
    publish("tone");
    leave("job.gone");
    Await.until("it is seen", BuildJobs.LIMIT, () -> ofJobs().contains("job.gone"));

    run(EVALUATIONS, request("tone", "0-3"));

    assertThat(ofJobs()).noneMatch(name -> name.startsWith("job."));
  }

  @Test
  void shouldCountWhatIsHeldTogetherAtTheSitesThatAreAskedFor() {
    run(BuildJobs.BUILDS, BuildJobs.request("wide", ITEMS).put("train", "0-11"));
    ObjectNode rows = request("wide", "12-15").put("method", "PCA");
    refuses(rows, "train: rows of 1280 bytes must be held together");
    run(EVALUATIONS, rows.put("hookPoint", "RESIDUAL_POST").put("layer", 3));

    ObjectNode sums = request("sums", "12-15").put("train", "0-7").put("validation", "8-11");
    sums.remove("version");
    sums.putObject("sweep")
        .putArray("hookPoints")
        .add("ATTENTION_INPUT")
        .add("RESIDUAL_MID")
        .add("MLP_INPUT")
        .add("RESIDUAL_POST");
    refuses(sums, "train: rows of 2048 bytes must be held together");
  }

  private List<String> ofJobs() {
    String path = "/v1/models/" + FakeWorker.MODEL + "/vectors?ofJobs=true";
    return texts(service.http().get(path).json().path("vectors"), "name");
  }

  /** Writes what an instance that died had written. */
  private void leave(String name) {
    VectorId id = new VectorId(FakeWorker.MODEL, name);
    new ChangePlanner(service.names, Clock.systemUTC())
        .publish(
            NamedVector.absent(id), Drafts.at(1, HookPoint.MLP_INPUT, 1, 2), Origin.http("nobody"))
        .records()
        .forEach(record -> service.topics.write(record.topic(), record.key(), record.value()));
  }

  /** A vector that no job built; every test may publish it once more. */
  private void publish(String name) {
    publish(name, "'description': ''");
  }

  private void publish(String name, String more) {
    String body = "{'layer': 1, 'hookPoint': 'MLP_INPUT', 'values': [1, 2], %s}".formatted(more);
    Answer answer = service.http().post(SteeringHttp.vector(FakeWorker.MODEL, name), body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(201);
  }

  @Test
  void shouldNeverJudgeASweptVectorByTheItemsThatItWasMadeWith() {
    ObjectNode sweep = request("swept", "8-15").put("train", "0-3").put("validation", "4-7");
    sweep.remove("version");
    sweep.putObject("sweep").put("layers", "1,3").put("publish", true);
    assertThat(run(EVALUATIONS, sweep).path("vector").asText()).isEqualTo("swept@1");

    refuses(request("swept", "2-9"), "test: items 2-3 are in train too");
    refuses(
        request("swept", "2-9").put("train", "10-15"),
        "test: items 2-3 are in the items that it was built from too");
    refuses(
        request("swept", "6-9"),
        "test: items 6-7 are in the items that its site was chosen by too");
    JsonNode result = run(EVALUATIONS, request("swept", "8-15"));
    assertThat(numbers(result.path("train"))).containsExactly(0, 1, 2, 3);
    assertThat(texts(result.path("controls"), "kind")).containsExactly("RANDOM", "SHUFFLED_LABELS");
  }
}
