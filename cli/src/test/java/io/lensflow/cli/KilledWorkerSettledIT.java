package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.client.ClientOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.Submission;
import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.decoder.DecoderService;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A worker dies by SIGKILL in the middle of a request, with rows of its attempt on the topics.
 * Another one runs the request again and finishes it; then the dead one's attempt is made to finish
 * too, as if it had only hung. Whoever follows the request settled sees the winner's rows, each
 * once: in Java, and in Python by the rule of {@code docs/delivery.md}.
 */
@ExtendWith(KafkaExtension.class)
class KilledWorkerSettledIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String MODEL = "lensflow-demo";
  private static final int NEW_TOKENS = 400;

  /** Chunks of the first attempt that are on the topic when its worker is killed. */
  private static final int CHUNKS_BEFORE = 2;

  /** A row as both languages report it. */
  private record Row(String attempt, String hookPoint, int layer, int position, String top) {
    String place() {
      return hookPoint + "/" + layer + "/" + position;
    }
  }

  private static KafkaEnvironment kafka;
  private static KafkaClients clients;
  private static int layers;
  private static Submission submission;
  private static List<LiveEvent> live;
  private static SettledRequest settled;

  @BeforeAll
  static void killTheWorkerOfARequest(KafkaEnvironment environment) throws Exception {
    kafka = environment;
    kafka.createTopics();
    KafkaSettings settings =
        new KafkaSettings(
            kafka.bootstrapServers(),
            kafka.registryUri(),
            kafka.catalogue().prefix(),
            kafka.catalogue().requestPartitions(),
            (short) 1,
            Map.of());
    clients = new KafkaClients(settings);
    Path model = Checkout.path("demo-model");
    ClientOptions options =
        ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
    try (WorkerChild first = WorkerChild.start(kafka, "first", model, MODEL);
        WorkerChild second = WorkerChild.start(kafka, "second", model, MODEL);
        DecoderService decoder = startDecoder(model, settings);
        LensflowClient client = LensflowClient.open(options)) {
      Await.until("both serve", LIMIT, () -> client.models().liveWorkers().size() == 2);
      Await.until("the decoder reads", LIMIT, () -> decoder.readiness().ready());
      layers = client.models().model(MODEL).orElseThrow().layers();
      submission = client.submit(request());
      try (LiveStream stream = client.live(Subscription.to(submission).withChunks())) {
        live = new ArrayList<>();
        String victim = awaitMiddle(stream);
        Map.of("first", first, "second", second).get(victim).kill();
        awaitEnd(stream);
      }
      finishLate(loser());
      try (SettledStream stream = client.settled(Subscription.to(submission))) {
        settled = SettledRequest.gather(stream, LIMIT);
      }
    }
  }

  private static DecoderService startDecoder(Path model, KafkaSettings settings) throws Exception {
    return DecoderService.start(
        DecoderSettings.load(
            Map.of(
                "lensflow.decoder.model",
                MODEL,
                "lensflow.decoder.checkpoint",
                model.toString(),
                "lensflow.decoder.threads",
                1,
                "lensflow.decoder.port",
                0)),
        settings);
  }

  private static PromptRequest request() {
    return PromptRequest.newBuilder()
        .setDeadline(Instant.now().plus(LIMIT))
        .setModel(MODEL)
        .setPrompt(Prompt.newBuilder().setText("The capital of France is").build())
        .setMaxNewTokens(NEW_TOKENS)
        .setIgnoreEos(true)
        .build();
  }

  /** Waits until tokens and chunks of the first attempt are out, and names its worker. */
  private static String awaitMiddle(LiveStream stream) {
    while (count(LiveEvent.ChunkArrived.class) < CHUNKS_BEFORE
        || count(LiveEvent.TokensGenerated.class) == 0) {
      live.add(stream.await(LIMIT));
      assertThat(count(LiveEvent.Ended.class)).as("the request ended before the kill").isZero();
    }
    return accepted().get(0).getWorker();
  }

  private static void awaitEnd(LiveStream stream) {
    while (count(LiveEvent.Completed.class) == 0) {
      live.add(stream.await(LIMIT));
    }
  }

  private static long count(Class<? extends LiveEvent> kind) {
    return live.stream().filter(kind::isInstance).count();
  }

  private static List<CompletionEvent> accepted() {
    return live.stream()
        .filter(LiveEvent.Accepted.class::isInstance)
        .map(event -> ((LiveEvent.Accepted) event).event())
        .toList();
  }

  private static String loser() {
    return accepted().get(0).getAttemptId();
  }

  /** Writes a second terminal event, of another attempt. */
  private static void finishLate(String attempt) throws Exception {
    LiveEvent.Completed completed = (LiveEvent.Completed) live.get(live.size() - 1);
    CompletionEvent late = CompletionEvent.newBuilder(completed.terminal()).build();
    late.setAttemptId(attempt);
    late.getFinished().setChunks(CHUNKS_BEFORE);
    try (Producer<String, SpecificRecord> producer = clients.producer(Map.of())) {
      producer
          .send(
              LensflowHeaders.record(
                  kafka.catalogue().completions(), submission.requestId(), late, null))
          .get();
    }
  }

  @Test
  void shouldFinishOnTheOtherWorkerWhenOneIsKilled() {
    assertThat(accepted())
        .extracting(CompletionEvent::getWorker)
        .containsExactlyInAnyOrder("first", "second");
    CompletionEvent terminal = settled.terminal();
    assertThat(terminal.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(terminal.getAttemptId()).isEqualTo(accepted().get(1).getAttemptId());
    assertThat(terminal.getFinished().getGeneratedTokens()).isEqualTo(NEW_TOKENS);
    assertThat(live).contains(restart());
  }

  private static LiveEvent restart() {
    CompletionEvent second = accepted().get(1);
    return new LiveEvent.Restarted(
        submission.requestId(), second.getAttemptId(), second.getAttempt());
  }

  /** Without this the other tests would prove nothing. */
  @Test
  void shouldHoldTheLosersRowsTooWhenTheTopicIsReadAsItIs() {
    Map<String, List<Row>> byAttempt =
        rows(onTheTopic()).collect(Collectors.groupingBy(Row::attempt));
    assertThat(byAttempt).containsOnlyKeys(loser(), settled.terminal().getAttemptId());
    assertThat(byAttempt.get(loser()).size())
        .isGreaterThanOrEqualTo(CHUNKS_BEFORE * layers)
        .isLessThan(expectedPlaces().size());
    assertThat(expectedPlaces())
        .containsAll(byAttempt.get(loser()).stream().map(Row::place).toList());
  }

  @Test
  void shouldHandOnTheWinnersRowsOnceWhenFollowedInJava() {
    assertWinnersRowsOnce(rows(settled.results()).toList());
    assertThat(settled.lost()).isEmpty();
  }

  @Test
  void shouldPrintTheWinnersRowsOnceWhenFollowedInPython() throws Exception {
    List<String> lines =
        Python.withPackages()
            .run(
                Checkout.path("docs/examples/settled.py"),
                LIMIT,
                "--bootstrap-servers",
                kafka.bootstrapServers(),
                "--schema-registry",
                kafka.registryUri().toString(),
                "--prefix",
                kafka.catalogue().prefix(),
                submission.requestId());
    ObjectMapper json = new ObjectMapper();
    List<Row> rows = new ArrayList<>();
    for (String line : lines) {
      JsonNode row = json.readTree(line);
      assertThat(row.get("lens").asText()).isEqualTo("logit");
      rows.add(
          new Row(
              row.get("attempt").asText(),
              row.get("hookPoint").asText(),
              row.get("layer").asInt(),
              row.get("position").asInt(),
              row.get("top").asText()));
    }
    assertWinnersRowsOnce(rows);
    assertThat(rows).containsExactlyElementsOf(rows(settled.results()).toList());
  }

  private static void assertWinnersRowsOnce(List<Row> rows) {
    assertThat(rows.stream().map(Row::attempt).distinct())
        .containsExactly(settled.terminal().getAttemptId());
    assertThat(rows)
        .extracting(Row::place)
        .doesNotHaveDuplicates()
        .hasSameElementsAs(expectedPlaces());
    Map<Integer, List<Integer>> positionsByLayer =
        rows.stream()
            .collect(
                Collectors.groupingBy(
                    Row::layer, Collectors.mapping(Row::position, Collectors.toList())));
    assertThat(positionsByLayer.values()).allSatisfy(positions -> assertThat(positions).isSorted());
  }

  /** Every layer at P + G − 1 positions: of the last token nobody knows what comes next. */
  private static Set<String> expectedPlaces() {
    int prompt = accepted().get(1).getAccepted().getPromptTokenIds().size();
    return IntStream.range(0, layers)
        .boxed()
        .flatMap(
            layer ->
                IntStream.range(0, prompt + NEW_TOKENS - 1)
                    .mapToObj(position -> "RESIDUAL_POST/" + layer + "/" + position))
        .collect(Collectors.toSet());
  }

  private static Stream<Row> rows(List<LensResult> results) {
    return results.stream()
        .flatMap(
            result ->
                LensRow.of(result).stream()
                    .map(
                        row ->
                            new Row(
                                result.getAttemptId(),
                                row.hookPoint().name(),
                                row.layer(),
                                row.position(),
                                row.top().get(0).text())));
  }

  /** All committed results in the request's partition, read without the client. */
  private static List<LensResult> onTheTopic() {
    TopicPartition partition =
        new TopicPartition(
            kafka.catalogue().lensResults(),
            Partitions.of(submission.requestId(), kafka.catalogue().requestPartitions()));
    RecordDeserializer<LensResult> deserializer = clients.deserializer(LensResult.class);
    List<LensResult> results = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        clients.bytesConsumer(Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer
            .poll(LIMIT)
            .forEach(
                record -> results.add(deserializer.deserialize(record.topic(), record.value())));
      }
    }
    return results;
  }
}
