package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorFile;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.Progress;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.Subscription;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.Capture;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.service.KafkaClients;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** All services over an embedded broker, and the demo model in float32. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EndToEndIT {
  private static final Path MODEL = Path.of("..", "demo-model").toAbsolutePath().normalize();
  private static final String NAME = "lensflow-demo";
  private static final String PROMPT = "The capital of France is";
  private static final int NEW_TOKENS = 5;
  private static final int TOP_K = 3;
  private static final int LAST = Integer.MAX_VALUE;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir static Path folder;
  private static LocalSystem system;
  private static EngineAlone alone;

  @BeforeAll
  static void start() throws Exception {
    Assumptions.assumeTrue(Files.isDirectory(MODEL), () -> MODEL + " is not there");
    alone = EngineAlone.run(MODEL, PROMPT, NEW_TOKENS, TOP_K);
    system = started();
  }

  private static LocalSystem started() throws Exception {
    LocalSystem local =
        new LocalSystem(
            SystemPlan.embedded(
                MODEL, NAME, "float32", folder, Map.of("lensflow.worker.steering.max-wait", "1s")),
            Progress.SILENT);
    local.start();
    return local;
  }

  @AfterAll
  static void stop() {
    if (system != null) {
      system.close();
    }
  }

  @Test
  void shouldAnswerWithTheTextOfTheEngineAlone() {
    SettledRequest answer = run(request -> request);

    assertThat(answer.terminal().getFinished().getText()).isEqualTo(alone.text());
    assertThat(alone.text()).startsWith(" Paris");
    assertThat(answer.accepted().orElseThrow().getAccepted().getPromptTokenIds())
        .containsExactlyElementsOf(boxed(alone.promptIds()));
    assertThat(answer.tokens())
        .flatExtracting(event -> event.getTokens().getIds())
        .containsExactlyElementsOf(boxed(alone.generatedIds()));
    assertThat(
            answer.tokens().stream()
                .flatMap(event -> event.getTokens().getTexts().stream())
                .reduce("", String::concat))
        .isEqualTo(alone.text());
  }

  @Test
  void shouldDecodeEveryRowOfEveryLayerAsTheEngineAloneComputesIt() {
    LensRequest exact = LensRequest.newBuilder().setAccuracy(LensAccuracy.EXACT).build();
    Map<Integer, Map<Integer, LensRow>> rows =
        AnsweredRows.byLayerAndPosition(run(request -> request.setLenses(List.of(exact))));

    assertThat(rows.keySet()).containsExactlyElementsOf(range(alone.lens().size()));
    rows.forEach(
        (layer, ofLayer) -> {
          assertThat(ofLayer.keySet()).containsExactlyElementsOf(range(alone.rowCount()));
          LensRows expected = alone.lens().get(layer);
          ofLayer.forEach((position, row) -> AnsweredRows.compare(row, expected, layer, position));
        });
  }

  @Test
  void shouldSayAtTheLastLayerWhatTheModelItselfSays() {
    SettledRequest answer = run(request -> request);
    Map<Integer, LensRow> last =
        AnsweredRows.byLayerAndPosition(answer).get(alone.lens().size() - 1);

    assertThat(answer.results()).extracting(LensResult::getCanaryMismatches).containsOnly(0);
    for (int position = 0; position < alone.rowCount(); position++) {
      float[] logits = alone.logits()[position];
      LensRow.Candidate best = last.get(position).top().get(0);
      int greatest =
          IntStream.range(0, logits.length).reduce(0, (a, b) -> logits[b] > logits[a] ? b : a);
      assertThat(best.id()).isEqualTo(greatest);
      assertThat(best.logit()).isCloseTo(logits[greatest], within(1e-3f));
    }
    for (int g = 0; g < alone.generatedIds().length; g++) {
      int row = alone.promptIds().length - 1 + g;
      assertThat(last.get(row).top().get(0).id()).isEqualTo(alone.generatedIds()[g]);
    }
  }

  @Test
  void shouldStreamTokensAndResultsLive() {
    var sent = system.client().submit(request(request -> request));
    List<LiveEvent> events = new ArrayList<>();
    try (LiveStream stream = system.client().live(Subscription.to(sent))) {
      while (!stream.hasEnded()) {
        events.add(stream.await(PATIENCE));
      }
    }

    assertThat(events).first().isInstanceOf(LiveEvent.Accepted.class);
    assertThat(events).last().isInstanceOf(LiveEvent.Completed.class);
    assertThat(events).extracting(LiveEvent::attemptId).containsOnly(events.get(0).attemptId());
    assertThat(events.stream().filter(LiveEvent.ResultArrived.class::isInstance)).isNotEmpty();
  }

  @Test
  @Order(1)
  void shouldSteerTheNextRequestWithAVectorJustPublishedAndNameIt() throws Exception {
    SettledRequest before = run(request -> request);
    VectorFile vector =
        VectorFile.read(
            MODEL.resolve("vectors/risk-taking.json"), Optional.of(NAME), Optional.of("fresh"));
    JsonNode published = new SteeringApi(system.steeringUri()).publish(vector);
    int layer = new ObjectMapper().readTree(vector.body()).path("layer").asInt();

    SettledRequest steered = run(EndToEndIT::steeredByFresh);
    assertThat(published.path("version").asInt()).isEqualTo(1);
    assertThat(steered.results())
        .allSatisfy(
            result -> {
              AppliedSteering applied = result.getSteering().get(0);
              assertThat(applied.getName()).isEqualTo("fresh");
              assertThat(applied.getVersion()).isEqualTo(1);
              assertThat(applied.getLayer()).isEqualTo(layer);
              assertThat(applied.getMultiplier()).isEqualTo(2f);
              assertThat(result.getSteeringFingerprint()).isNotEmpty();
            });
    assertThat(before.results()).allSatisfy(result -> assertThat(result.getSteering()).isEmpty());
    assertThat(promptDifference(before, steered, 0, layer)).isZero();
    assertThat(promptDifference(before, steered, layer, LAST)).isGreaterThan(0.1f);
    assertThat(promptDifference(before, run(request -> request), 0, LAST)).isZero();
  }

  private static float promptDifference(
      SettledRequest one, SettledRequest other, int from, int to) {
    return AnsweredRows.difference(one, other, alone.promptIds().length, from, to);
  }

  private static PromptRequest.Builder steeredByFresh(PromptRequest.Builder request) {
    return request.setSteering(
        List.of(
            SteeringRequest.newBuilder()
                .setName("fresh")
                .setMultiplier(2f)
                .setPositions("prompt")
                .build()));
  }

  @Test
  void shouldRefuseBadRequestsByFieldAndGoOn() {
    refused(
        request -> request.setCapture(Capture.newBuilder().setLayers("0-99").build()),
        "capture.layers",
        "0 … ");
    refused(request -> request.setPrompt(Prompt.newBuilder().setText("").build()), "prompt", "");
    refused(
        request -> request.setPrompt(Prompt.newBuilder().setText("so ".repeat(5000)).build()),
        "prompt",
        "512");
    refused(
        request ->
            request.setSteering(
                List.of(SteeringRequest.newBuilder().setName("nobody-published-this").build())),
        "steering",
        "nobody-published-this");

    assertThat(run(request -> request).terminal().getType()).isEqualTo(CompletionType.FINISHED);
  }

  private static void refused(
      UnaryOperator<PromptRequest.Builder> change, String field, String message) {
    SettledRequest answer = run(change);
    assertThat(answer.terminal().getType()).as(field).isEqualTo(CompletionType.FAILED);
    assertThat(answer.terminal().getFailure().getField()).startsWith(field);
    assertThat(answer.terminal().getFailure().getMessage()).contains(message);
  }

  @Test
  void shouldPutWhatIsNoRequestToTheDeadLettersAndGoOn() throws Exception {
    String key = Ids.newId();
    KafkaClients clients = new KafkaClients(system.kafka());
    try (var producer =
        new KafkaProducer<>(clients.base(), new ByteArraySerializer(), new ByteArraySerializer())) {
      producer
          .send(
              new ProducerRecord<>(
                  system.kafka().catalogue().promptRequests(),
                  key.getBytes(StandardCharsets.UTF_8),
                  new byte[] {1, 2, 3}))
          .get();
    }

    DeadLetter letter = deadLetterOf(clients, key);
    assertThat(letter.getFailure().getMessage()).isNotEmpty();
    assertThat(run(request -> request).terminal().getType()).isEqualTo(CompletionType.FINISHED);
  }

  private static DeadLetter deadLetterOf(KafkaClients clients, String key) {
    String topic = system.kafka().catalogue().deadLetters();
    var deserializer = clients.deserializer(DeadLetter.class);
    try (var consumer = clients.bytesConsumer(Map.of("auto.offset.reset", "earliest"))) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (System.nanoTime() < deadline) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (record.key() != null
              && key.equals(new String(record.key(), StandardCharsets.UTF_8))) {
            return deserializer.deserialize(topic, record.value());
          }
        }
      }
    }
    throw new AssertionError("no dead letter came for " + key);
  }

  @Test
  void shouldPrintJsonLinesAndEndWithFinished() throws Exception {
    List<JsonNode> lines = new ArrayList<>();
    String output = standardOutputOf(0, "--json", "--layers", "0,-1", "-n", "2", PROMPT);
    for (String line : output.lines().toList()) {
      lines.add(new ObjectMapper().readTree(line));
    }

    int rows = alone.promptIds().length + 1;
    assertThat(lines).filteredOn(line -> type(line).equals("token")).hasSize(2);
    assertThat(lines).filteredOn(line -> type(line).equals("lens")).hasSize(2 * rows);
    assertThat(type(lines.get(lines.size() - 1))).isEqualTo("finished");
    assertThat(lines.get(lines.size() - 1).path("rows").asInt()).isEqualTo(rows);
    assertThat(lines).hasSize(2 + 2 * rows + 1);
  }

  @Test
  void shouldPrintTheWinnerOnlyWhenSettled() throws Exception {
    String output = standardOutputOf(0, "--settled", "--table", "-n", "2", PROMPT);

    assertThat(output).contains("·Paris").contains("layer  ").contains("max_new_tokens");
  }

  @Test
  void shouldEndWithOneWhenTheRequestFails() throws Exception {
    String output = standardOutputOf(1, "--json", "--steer", "nobody-published-this=1", PROMPT);

    JsonNode only = new ObjectMapper().readTree(output);
    assertThat(type(only)).isEqualTo("failed");
    assertThat(only.path("error").path("message").asText()).contains("nobody-published-this");
    standardOutputOf(1, "--layers", "99", PROMPT);
  }

  private static String type(JsonNode line) {
    return line.path("type").asText();
  }

  private static String standardOutputOf(int status, String... arguments) {
    List<String> all = new ArrayList<>(List.of("submit"));
    all.addAll(List.of("--bootstrap-servers", system.kafka().bootstrapServers()));
    all.addAll(List.of("--schema-registry", system.kafka().schemaRegistry().toString()));
    all.addAll(List.of(arguments));
    PrintStream original = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(all.toArray(String[]::new))).isEqualTo(status);
    } finally {
      System.setOut(original);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void shouldServeTheSameOverHttp() throws Exception {
    ObjectNode body = new ObjectMapper().createObjectNode();
    body.put("model", NAME).put("maxNewTokens", 2).putObject("prompt").put("text", PROMPT);
    HttpResponse<String> accepted =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(system.httpUri() + "/v1/requests"))
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                    .build(),
                HttpResponse.BodyHandlers.ofString());

    assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
    String id = new ObjectMapper().readTree(accepted.body()).path("requestId").asText();
    try (var stream = system.client().settled(Subscription.to(id, Duration.ofMinutes(1)))) {
      assertThat(SettledRequest.gather(stream, PATIENCE).terminal().getFinished().getText())
          .startsWith(" Paris");
    }
  }

  @Test
  @Order(LAST)
  void shouldFindTopicsAndVectorsAgainWhenStartedOverTheSameFolder() throws Exception {
    system.close();
    system = started();

    SettledRequest steered = run(EndToEndIT::steeredByFresh);
    assertThat(steered.terminal().getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(steered.results().get(0).getSteering().get(0).getName()).isEqualTo("fresh");
  }

  private static SettledRequest run(UnaryOperator<PromptRequest.Builder> change) {
    return system.client().run(request(change), PATIENCE);
  }

  private static PromptRequest request(UnaryOperator<PromptRequest.Builder> change) {
    PromptRequest.Builder builder =
        PromptRequest.newBuilder()
            .setModel(NAME)
            .setPrompt(Prompt.newBuilder().setText(PROMPT).build())
            .setMaxNewTokens(NEW_TOKENS)
            .setIgnoreEos(true);
    PromptRequest request = change.apply(builder).build();
    request.getLenses().get(0).setTopK(TOP_K);
    return request;
  }

  private static List<Integer> boxed(int[] values) {
    return IntStream.of(values).boxed().toList();
  }

  private static List<Integer> range(int end) {
    return IntStream.range(0, end).boxed().toList();
  }
}
