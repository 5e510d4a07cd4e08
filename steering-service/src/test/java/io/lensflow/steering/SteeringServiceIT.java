package io.lensflow.steering;

import static io.lensflow.steering.SteeringHttp.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.HookPoint;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringCommand;
import io.lensflow.records.SteeringCommandType;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.steering.Topics.Seen;
import io.lensflow.steering.vector.Float32;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One instance over a real broker: what it answers, and what it writes. */
@ExtendWith(KafkaExtension.class)
class SteeringServiceIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private static KafkaEnvironment kafka;
  private static TopicCatalogue names;
  private static Topics topics;
  private static SteeringService service;
  private static SteeringHttp http;

  @BeforeAll
  static void start(KafkaEnvironment environment) throws Exception {
    kafka = environment;
    names = kafka.catalogue();
    kafka.createTopics();
    topics = new Topics(kafka);
    startService();
  }

  @AfterAll
  static void stop() {
    service.close();
    topics.close();
  }

  private static void startService() throws Exception {
    service =
        SteeringService.start(
            SteeringSettings.load(
                Map.of(
                    "lensflow.steering.host", "127.0.0.1",
                    "lensflow.steering.port", 0,
                    "lensflow.steering.max-body-bytes", 100_000)),
            Topics.settings(kafka));
    http = new SteeringHttp(service.port());
    Await.until("this instance writes", LIMIT, service::isWriter);
  }

  @Test
  void shouldWriteSitesManifestAliasAndAuditWhenPublishing() {
    Answer published =
        http.post(
            vector("m1", "tone"),
            "{'sites': [{'layer': 2, 'hookPoint': 'RESIDUAL_POST', 'values': [3, 4]},"
                + "{'layer': 1, 'values': [0, 1]}], 'method': 'MEAN_DIFFERENCE', 'pairCount': 40,"
                + "'dataset': 'letters', 'description': 'kinder', 'positions': 'Prompt'}");

    assertThat(published.status()).as(published.text()).isEqualTo(201);
    assertThat(published.header("Location")).isEqualTo(vector("m1", "tone") + "/versions/1");
    JsonNode json = published.json();
    assertThat(json.get("version").asInt()).isEqualTo(1);
    assertThat(json.at("/sites/0/norm").asDouble()).isEqualTo(5);
    assertThat(json.get("hiddenSize").asInt()).isEqualTo(2);
    assertThat(json.at("/warnings/0").asText()).contains("no live worker");

    List<Seen<SteeringVector>> vectors = ofModel("m1");
    assertThat(vectors)
        .extracting(Seen::key, Seen::type)
        .containsExactly(
            tuple("m1/tone@1/RESIDUAL_POST/2", "SteeringVector.SITE"),
            tuple("m1/tone@1/ATTENTION_INPUT/1", "SteeringVector.SITE"),
            tuple("m1/tone@1", "SteeringVector.MANIFEST"));
    VectorSite site = vectors.get(0).value().getSite();
    assertThat(Float32.decode(site.getValues())).containsExactly(3, 4);
    assertThat(json.at("/sites/0/crc32c").asLong()).isEqualTo(site.getCrc32c());
    VectorManifest manifest = vectors.get(2).value().getManifest();
    assertThat(manifest.getPositions()).isEqualTo("prompt");
    assertThat(manifest.getAuthor()).isEqualTo("tester");
    assertThat(lastAlias("m1/tone/latest").getVersion()).isEqualTo(1);
    assertThat(audit("m1"))
        .extracting(AuditEvent::getAction, AuditEvent::getActor, AuditEvent::getSubject)
        .containsExactly(tuple("PUBLISH", "tester", "m1/tone@1"));
  }

  @Test
  void shouldAnswerWhatWasPublished() {
    http.publish("m2", "a");
    http.publish("m2", "b");
    http.post(vector("m2", "a"), "{'layer': 5, 'values': [0.5, -1]}");
    http.put(vector("m2", "a") + "/aliases/production", "{'version': 1}");

    JsonNode list = http.get("/v1/models/m2/vectors").json();
    assertThat(list.at("/vectors/0/name").asText()).isEqualTo("a");
    assertThat(list.at("/vectors/0/versions").toString()).isEqualTo("[1,2]");
    assertThat(list.at("/vectors/0/aliases").toString())
        .isEqualTo("{\"latest\":2,\"production\":1}");
    assertThat(list.at("/vectors/1/name").asText()).isEqualTo("b");

    JsonNode history = http.get(vector("m2", "a")).json();
    assertThat(history.get("latest").asInt()).isEqualTo(2);
    assertThat(history.at("/versions/0/version").asInt()).isEqualTo(2);

    JsonNode version = http.get(vector("m2", "a") + "/versions/2?values=true").json();
    assertThat(version.at("/sites/0/values").toString()).isEqualTo("[0.5,-1.0]");
    JsonNode aliased = http.get(vector("m2", "a") + "/versions/production").json();
    assertThat(aliased.get("version").asInt()).isEqualTo(1);
    assertThat(aliased.at("/sites/0").has("values")).isFalse();

    assertThat(http.get("/v1/models/nobody/vectors").json().get("vectors")).isEmpty();
    assertThat(http.get(vector("m2", "c")).status()).isEqualTo(404);
    assertThat(http.get(vector("m2", "a") + "/versions/3").status()).isEqualTo(404);
    assertThat(http.get("/openapi.json").json().at("/openapi").asText()).isEqualTo("3.1.0");
    assertThat(http.get("/healthz").status()).isEqualTo(200);
    assertThat(http.get("/readyz").status()).isEqualTo(200);
    assertThat(http.get("/metrics").text()).contains("lensflow_steering_writer 1.0");
  }

  @Test
  void shouldTombstoneAndFallBackWhenDeleting() {
    http.publish("m3", "v");
    http.publish("m3", "v");
    http.put(vector("m3", "v") + "/aliases/production", "{'version': 1}");

    Answer inUse = http.delete(vector("m3", "v") + "/versions/1");
    assertThat(inUse.status()).isEqualTo(409);
    assertThat(inUse.json().at("/error/code").asText()).isEqualTo("VERSION_IN_USE");
    assertThat(http.delete(vector("m3", "v")).status()).isEqualTo(409);

    assertThat(http.delete(vector("m3", "v") + "/versions/2").json().get("latest").asInt())
        .isEqualTo(1);
    assertThat(lastAlias("m3/v/latest").getVersion()).isEqualTo(1);
    assertThat(ofModel("m3").stream().filter(seen -> seen.value() == null).map(Seen::key))
        .containsExactly("m3/v@2", "m3/v@2/ATTENTION_INPUT/0");

    assertThat(http.delete(vector("m3", "v") + "/aliases/production").status()).isEqualTo(200);
    assertThat(lastAlias("m3/v/production")).isNull();
    assertThat(http.delete(vector("m3", "v")).json().get("deleted").toString()).isEqualTo("[1]");
    assertThat(http.get(vector("m3", "v")).status()).isEqualTo(404);
    assertThat(lastAlias("m3/v/latest"))
        .extracting(SteeringAlias::getVersion, SteeringAlias::getHighestVersion)
        .containsExactly(0, 2);

    assertThat(http.publish("m3", "v").json().get("version").asInt()).isEqualTo(3);
    assertThat(audit("m3"))
        .extracting(AuditEvent::getAction)
        .containsExactly(
            "PUBLISH", "PUBLISH", "SET_ALIAS", "RETIRE", "DELETE_ALIAS", "RETIRE", "PUBLISH");
  }

  @Test
  void shouldNumberWithoutGapsWhenManyPublishAtOnce() {
    List<CompletableFuture<Answer>> answers =
        IntStream.range(0, 20)
            .mapToObj(
                i -> http.sendAsync("POST", vector("m10", "v"), "{'layer': 0, 'values': [1]}"))
            .toList();
    assertThat(answers.stream().map(answer -> answer.join().json().get("version").asInt()))
        .containsExactlyInAnyOrderElementsOf(IntStream.rangeClosed(1, 20).boxed().toList());
  }

  @Test
  void shouldSayWhatIsCurrentWhenSomebodyElseWasFaster() {
    http.publish("m4", "v");
    Answer late = http.post(vector("m4", "v"), "{'layer': 0, 'values': [1], 'expectedVersion': 0}");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.json().get("currentVersion").asInt()).isEqualTo(1);
    assertThat(late.json().at("/error/field").asText()).isEqualTo("expectedVersion");
    assertThat(
            http.post(vector("m4", "v"), "{'layer': 0, 'values': [1], 'expectedVersion': 1}")
                .status())
        .isEqualTo(201);
  }

  @Test
  void shouldNameTheFieldAndWriteNothingWhenAVectorDoesNotFitTheLiveWorkers() {
    http.publish("m5", "probe");
    heartbeat("m5", "w5", List.of(), List.of());
    awaitWorker("m5", "probe");
    assertThat(error(http.post(vector("m5", "v"), "{'layer': 0, 'values': [1]}")))
        .contains("values", "hidden size 2");
    assertThat(error(http.post(vector("m5", "v"), "{'layer': 4, 'values': [1, 2]}")))
        .contains("layer", "0 … 3");
    assertThat(error(http.post(vector("m5", "v"), "{'layer': 0, 'values': [1, 1e39]}")))
        .contains("values[1]", "finite");
    assertThat(error(http.post(vector("m5", "v"), "{'layer': 0, 'values': [0, 0]}")))
        .contains("norm 0");
    assertThat(error(http.post(vector("m5", "a@b"), "{'layer': 0, 'values': [1, 2]}")))
        .contains("name");
    String large = "{'layer': 0, 'values': [" + "1.000,".repeat(20_000) + "1]}";
    assertThat(http.post(vector("m5", "v"), large).status()).isEqualTo(413);
    assertThat(http.get(vector("m5", "v")).status()).isEqualTo(404);

    Answer fits = http.post(vector("m5", "v"), "{'layer': 3, 'values': [1, 2]}");
    assertThat(fits.status()).isEqualTo(201);
    assertThat(fits.json().get("warnings")).isEmpty();
  }

  @Test
  void shouldTakeTheTopicSafeNameWhenAModelsNameHoldsASlash() {
    String safe = TopicCatalogue.topicSafe("org/m11");
    heartbeat("org/m11", "w11", List.of(), List.of());
    Await.until(
        "the worker is seen",
        LIMIT,
        () ->
            http.get("/v1/models/" + safe + "/vectors")
                .json()
                .get("model")
                .asText()
                .equals("org/m11"));
    assertThat(http.publish(safe, "v").json().get("model").asText()).isEqualTo("org/m11");
    assertThat(http.get("/v1/models/org%2Fm11/vectors").json().at("/vectors/0/name").asText())
        .isEqualTo("v");
    assertThat(ofModel(safe)).extracting(seen -> seen.value().getModel()).containsOnly("org/m11");
  }

  @Test
  void shouldShowWhatWorkersAppliedAndRefused() {
    for (int i = 0; i < 3; i++) {
      http.publish("m6", "v");
    }
    heartbeat(
        "m6",
        "w6",
        List.of(new VectorVersion("v", 1), new VectorVersion("other", 3)),
        List.of(new RefusedVector("v", 2, "wrong length")));
    awaitWorker("m6", "v");
    JsonNode worker = http.get(vector("m6", "v") + "/status").json().at("/workers/0");
    assertThat(worker.toString())
        .isEqualTo(
            "{\"worker\":\"w6\",\"applied\":[1],\"refused\":{\"2\":\"wrong length\"},\"pending\":[3]}");
  }

  @Test
  void shouldFindEverythingAgainWhenRestartedOverTheSameTopics() throws Exception {
    http.publish("m7", "v");
    http.publish("m7", "v");
    http.publish("m7", "gone");
    http.delete(vector("m7", "gone"));
    String before = http.get(vector("m7", "v")).text();
    service.close();
    startService();
    assertThat(http.get(vector("m7", "v")).text()).isEqualTo(before);
    assertThat(http.publish("m7", "v").json().get("version").asInt()).isEqualTo(3);
    assertThat(http.publish("m7", "gone").json().get("version").asInt()).isEqualTo(2);
  }

  @Test
  void shouldCarryOutCommandsOnce() throws Exception {
    SteeringCommand publish = command(SteeringCommandType.PUBLISH, 0, "");
    topics.write(names.steeringCommands(), null, publish);
    topics.write(names.steeringCommands(), null, publish);
    topics.write(
        names.steeringCommands(), null, command(SteeringCommandType.SET_ALIAS, 1, "production"));
    Await.until("the alias is set", LIMIT, () -> aliases("m8").contains("\"production\":1"));

    service.close();
    startService();
    topics.write(names.steeringCommands(), null, publish);
    topics.write(
        names.steeringCommands(), null, command(SteeringCommandType.DELETE_ALIAS, 0, "production"));
    Await.until("the alias is gone", LIMIT, () -> !aliases("m8").contains("production"));
    assertThat(aliases("m8")).isEqualTo("{\"latest\":1}");
    topics.write(names.steeringCommands(), null, command(SteeringCommandType.RETIRE, 1, ""));
    Await.until("the vector is gone", LIMIT, () -> http.get(vector("m8", "v")).status() == 404);

    assertThat(audit("m8"))
        .extracting(AuditEvent::getAction, AuditEvent::getActor)
        .containsExactly(
            tuple("PUBLISH", "robot"),
            tuple("SET_ALIAS", "robot"),
            tuple("DELETE_ALIAS", "robot"),
            tuple("RETIRE", "robot"));
    assertThat(audit("m8").get(0).getDetails()).containsEntry("commandId", publish.getCommandId());
  }

  @Test
  void shouldPutCommandsAsideWhenTheyCannotBeCarriedOut() {
    topics.writeBytes(names.steeringCommands(), new byte[] {1, 2, 3});
    SteeringCommand wrong = command(SteeringCommandType.PUBLISH, 0, "");
    wrong.setModel("m9");
    wrong.getSites().get(0).setCrc32c(1);
    topics.write(names.steeringCommands(), null, wrong);
    SteeringCommand unknown = command(SteeringCommandType.SET_POLICY, 0, "");
    unknown.setModel("m9");
    topics.write(names.steeringCommands(), null, unknown);
    SteeringCommand last = command(SteeringCommandType.PUBLISH, 0, "");
    last.setModel("m9");
    topics.write(names.steeringCommands(), null, last);

    Await.until("the good one is done", LIMIT, () -> aliases("m9").contains("\"latest\":1"));
    assertThat(topics.read(names.deadLetters(), DeadLetter.class))
        .extracting(
            seen -> seen.value().getService(),
            seen -> seen.value().getTopic(),
            seen -> seen.value().getFailure().getCode(),
            seen -> seen.value().getFailure().getField())
        .contains(
            tuple("steering-service", names.steeringCommands(), "UNDECODABLE", null),
            tuple(
                "steering-service", names.steeringCommands(), "INVALID_REQUEST", "sites[0].crc32c"),
            tuple("steering-service", names.steeringCommands(), "INVALID_REQUEST", "type"));
  }

  private static SteeringCommand command(SteeringCommandType type, int version, String alias) {
    VectorSite site =
        VectorSite.newBuilder()
            .setHookPoint(HookPoint.RESIDUAL_POST)
            .setLayer(1)
            .setValues(Float32.encode(new float[] {1, 2}))
            .build();
    return SteeringCommand.newBuilder()
        .setCommandId(Ids.newId())
        .setCreatedAt(Instant.now())
        .setType(type)
        .setModel("m8")
        .setName("v")
        .setVersion(version)
        .setAlias(alias)
        .setActor("robot")
        .setManifest(VectorManifest.newBuilder().build())
        .setSites(new java.util.ArrayList<>(List.of(site)))
        .build();
  }

  private static void heartbeat(
      String model, String worker, List<VectorVersion> vectors, List<RefusedVector> refused) {
    topics.write(
        names.workers(),
        worker,
        WorkerHeartbeat.newBuilder()
            .setWorker(worker)
            .setModel(model)
            .setLayers(4)
            .setHiddenSize(2)
            .setVectors(vectors)
            .setRefused(refused)
            .build());
  }

  private static void awaitWorker(String model, String name) {
    Await.until(
        "the worker is seen",
        LIMIT,
        () -> http.get(vector(model, name) + "/status").json().get("workers").size() == 1);
  }

  private static String error(Answer answer) {
    return answer.status() == 400 ? answer.json().at("/error/message").asText() : "";
  }

  private static String aliases(String model) {
    return http.get(vector(model, "v")).json().path("aliases").toString();
  }

  private static List<Seen<SteeringVector>> ofModel(String model) {
    return topics.read(names.steeringVectors(), SteeringVector.class).stream()
        .filter(seen -> seen.key().startsWith(model + "/"))
        .toList();
  }

  private static SteeringAlias lastAlias(String key) {
    List<Seen<SteeringAlias>> seen =
        topics.read(names.steeringAliases(), SteeringAlias.class).stream()
            .filter(alias -> alias.key().equals(key))
            .toList();
    return seen.get(seen.size() - 1).value();
  }

  private static List<AuditEvent> audit(String model) {
    return topics.read(names.audit(), AuditEvent.class).stream()
        .map(Seen::value)
        .filter(event -> event.getModel().equals(model))
        .toList();
  }
}
