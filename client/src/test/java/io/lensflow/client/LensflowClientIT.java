package io.lensflow.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ControlType;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
class LensflowClientIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Path SETTLED_PY = Path.of("..", "docs", "examples", "settled.py");

  private static KafkaEnvironment kafka;
  private static LensflowClient client;

  @BeforeAll
  static void open(KafkaEnvironment environment) {
    kafka = environment;
    kafka.createTopics();
    client = LensflowClient.open(options());
  }

  private static ClientOptions options() {
    return ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
  }

  @AfterAll
  static void close() {
    client.close();
  }

  @Test
  void shouldStoreARequestWithIdTimeAndHeadersInThePartitionOfItsId() {
    Submission sent =
        client.submit(
            PromptRequest.newBuilder()
                .setModel("m")
                .setPrompt(Prompt.newBuilder().setText("x").build())
                .build(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

    ConsumerRecord<byte[], byte[]> stored = recordOf(sent.topic(), sent.requestId());
    PromptRequest request =
        new RecordDeserializer<>(kafka.registry(), PromptRequest.class)
            .deserialize(sent.topic(), stored.value());
    assertThat(sent.topic()).isEqualTo(kafka.catalogue().promptRequests());
    assertThat(stored.partition()).isEqualTo(Partitions.of(sent.requestId(), 3));
    assertThat(request).isEqualTo(sent.request());
    assertThat(Ids.timeOf(request.getRequestId()).orElseThrow())
        .isBetween(Instant.now().minusSeconds(60), Instant.now());
    assertThat(request.getCreatedAt()).isAfter(Instant.now().minusSeconds(60));
    assertThat(LensflowHeaders.get(stored.headers(), LensflowHeaders.REQUEST))
        .hasValue(sent.requestId());
    assertThat(LensflowHeaders.get(stored.headers(), LensflowHeaders.TRACEPARENT)).isPresent();
  }

  @Test
  void shouldOrderACancellation() {
    String request = Ids.newId();
    client.cancel(request, "changed my mind");

    String topic = kafka.catalogue().requestControl();
    RequestControl order =
        new RecordDeserializer<>(kafka.registry(), RequestControl.class)
            .deserialize(topic, recordOf(topic, request).value());
    assertThat(order.getType()).isEqualTo(ControlType.CANCEL);
    assertThat(order.getReason()).isEqualTo("changed my mind");
  }

  @Test
  void shouldSettleOnTheWinnerOfARealLog() {
    String request = mishaps();

    SettledRequest settled = settle(request);
    assertThat(settled.terminal().getAttemptId()).isEqualTo("second");
    assertThat(settled.tokens())
        .flatExtracting(event -> event.getTokens().getTexts())
        .containsExactly("right");
    assertThat(settled.results())
        .flatExtracting(LensRow::of)
        .extracting(LensRow::layer, LensRow::position, row -> row.top().get(0).probability())
        .containsExactly(
            row(0, 0), row(0, 1), row(1, 0), row(1, 1), row(0, 2), row(0, 3), row(1, 2), row(1, 3));
  }

  private static org.assertj.core.groups.Tuple row(int layer, int position) {
    return org.assertj.core.groups.Tuple.tuple(layer, position, 0.75f);
  }

  /** A first attempt that dies, results that are taken back, a second one, and late losers. */
  private static String mishaps() {
    String request = Ids.newId();
    try (SyntheticRequest log = new SyntheticRequest(kafka, null);
        SyntheticRequest decoder = new SyntheticRequest(kafka, "decoder-" + request)) {
      log.accepted(request, "first");
      log.token(request, "first", "wrong");
      log.result(request, "first", 0, 0.25f);
      decoder.abortedResult(request, "second", 0);
      log.accepted(request, "second");
      log.token(request, "second", "right");
      log.result(request, "second", 1, 0.75f);
      log.result(request, "second", 0, 0.75f);
      log.result(request, "second", 0, 0.75f);
      log.finished(request, "second", 2, "right");
      log.result(request, "first", 1, 0.25f);
      log.finished(request, "first", 2, "wrong");
    }
    return request;
  }

  private static SettledRequest settle(String request) {
    try (SettledStream stream = client.settled(Subscription.to(request, Duration.ofMinutes(1)))) {
      return SettledRequest.gather(stream, PATIENCE);
    }
  }

  @Test
  void shouldFollowARequestLiveFromBeforeItWasSent() {
    Submission sent =
        client.submit(
            PromptRequest.newBuilder().setPrompt(Prompt.newBuilder().setText("x").build()).build());
    String request = sent.requestId();
    List<LiveEvent> events = new ArrayList<>();
    try (SyntheticRequest log = new SyntheticRequest(kafka, null);
        LiveStream stream = client.live(Subscription.to(sent))) {
      log.accepted(request, "first");
      events.add(stream.await(PATIENCE));
      log.accepted(request, "second");
      events.add(stream.await(PATIENCE));
      events.add(stream.await(PATIENCE));
      log.result(request, "second", 0, 0.75f);
      log.finished(request, "second", 1, "done");
      while (!stream.hasEnded()) {
        events.add(stream.await(PATIENCE));
      }
    }

    assertThat(events)
        .hasSize(6)
        .extracting(event -> event.getClass().getSimpleName())
        .startsWith("Accepted", "Restarted", "Accepted")
        .contains("ResultArrived", "Ended")
        .endsWith("Completed");
  }

  @Test
  void shouldSettleAllRequestsThatBeginFromNowOn() {
    try (SettledStream stream =
        client.settled(Subscription.toAll(new StartingPoint.Latest()).withModel("m"))) {
      String one = mishaps();
      String other = mishaps();

      List<String> complete = new ArrayList<>();
      while (!complete.containsAll(List.of(one, other))) {
        if (stream.await(PATIENCE) instanceof SettledEvent.Complete end) {
          complete.add(end.requestId());
        }
      }
      assertThat(complete).doesNotHaveDuplicates();
    }
  }

  @Test
  void shouldKnowServedModelsFromHeartbeats() {
    String topic = kafka.catalogue().workers();
    ModelDirectory models = client.models();
    models.awaitReady(PATIENCE);
    assertThat(models.model("directory-model")).isEmpty();
    assertThat(models.requestTopicFor("directory-model"))
        .isEqualTo(kafka.catalogue().promptRequests());

    try (var producer =
        new KafkaProducer<String, SpecificRecord>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new StringSerializer(),
            new RecordSerializer<SpecificRecord>(kafka.registry()))) {
      WorkerHeartbeat heartbeat =
          WorkerHeartbeat.newBuilder()
              .setWorker("w")
              .setModel("directory-model")
              .setLayers(30)
              .setRequestTopics(List.of("own-topic"))
              .build();
      producer.send(LensflowHeaders.record(topic, "w", heartbeat, null));
      producer.flush();
      assertThat(models.awaitModel("directory-model", PATIENCE).layers()).isEqualTo(30);
      assertThat(models.requestTopicFor("directory-model")).isEqualTo("own-topic");
      assertThat(models.model("directory-model").orElseThrow().batchTopic()).isEmpty();
      assertThatThrownBy(
              () ->
                  client.submitToBatchLane(
                      PromptRequest.newBuilder().setModel("directory-model").build()))
          .isInstanceOf(ClientException.class)
          .hasMessageContaining("topics create --model directory-model");

      // One that takes all it does from the batch topic speaks for that alone.
      heartbeat.setWorker("a-batch-worker");
      heartbeat.setRequestTopics(List.of("batch-topic"));
      heartbeat.setBatchRequestTopic("batch-topic");
      producer.send(LensflowHeaders.record(topic, "a-batch-worker", heartbeat, null));
      producer.flush();
      Await.until(
          PATIENCE, () -> models.model("directory-model").orElseThrow().workers().size() == 2);
      ServedModel both = models.model("directory-model").orElseThrow();
      assertThat(both.requestTopic()).isEqualTo("own-topic");
      assertThat(both.batchTopic()).contains("batch-topic");
      producer.send(new ProducerRecord<>(topic, "a-batch-worker", null));

      producer.send(new ProducerRecord<>(topic, "w", null));
      producer.flush();
      Await.until(PATIENCE, () -> models.model("directory-model").isEmpty());
    }
    assertThatThrownBy(() -> models.awaitModel("directory-model", Duration.ofMillis(100)))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContaining("no live worker serves the model 'directory-model'");
  }

  @Test
  void shouldSayThatTopicsAreMissing() {
    ClientOptions elsewhere =
        ClientOptions.of(
            kafka.bootstrapServers(),
            kafka.registryUri(),
            new TopicCatalogue("nobody-made-these.", 3, (short) 1));
    try (LensflowClient lost =
        LensflowClient.open(elsewhere.withConnectTimeout(Duration.ofSeconds(3)))) {
      assertThatThrownBy(() -> lost.live(Subscription.toAll(new StartingPoint.Latest())))
          .isInstanceOf(ClientException.class)
          .hasMessageContaining("nobody-made-these.")
          .hasMessageContaining("topics create");
    }
  }

  @Test
  void shouldSayThatNoBrokerAnswers() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    ClientOptions nowhere =
        ClientOptions.of("127.0.0.1:" + port, kafka.registryUri(), kafka.catalogue())
            .withConnectTimeout(Duration.ofSeconds(1));

    assertThatThrownBy(() -> LensflowClient.open(nowhere))
        .isInstanceOf(ClientException.class)
        .hasMessage(
            "no Kafka broker answers at 127.0.0.1:%d within 1 s; check bootstrap-servers"
                .formatted(port));
  }

  @Test
  void shouldAgreeWithTheRuleInPython() throws Exception {
    String python = System.getenv().getOrDefault("LENSFLOW_PYTHON", "python3");
    assumeThat(exitCode(python, "-c", "import confluent_kafka, fastavro"))
        .as(
            "%s with confluent-kafka and fastavro; LENSFLOW_PYTHON names another interpreter",
            python)
        .isZero();
    String request = mishaps();

    Process process =
        new ProcessBuilder(
                python,
                SETTLED_PY.toString(),
                request,
                "--bootstrap-servers",
                kafka.bootstrapServers(),
                "--schema-registry",
                kafka.registryUri().toString(),
                "--prefix",
                kafka.catalogue().prefix(),
                "--timeout",
                "30")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    assertThat(process.waitFor()).isZero();
    ObjectMapper mapper = new ObjectMapper();
    List<String> theirs = new ArrayList<>();
    for (String line : lines) {
      JsonNode row = mapper.readTree(line);
      assertThat(row.path("attempt").asText()).isEqualTo("second");
      theirs.add(
          "%d/%d/%s"
              .formatted(
                  row.path("layer").asInt(),
                  row.path("position").asInt(),
                  row.path("top").asText()));
    }
    List<String> ours =
        settle(request).results().stream()
            .flatMap(result -> LensRow.of(result).stream())
            .map(row -> "%d/%d/%s".formatted(row.layer(), row.position(), row.top().get(0).text()))
            .toList();
    assertThat(theirs).isNotEmpty().containsExactlyElementsOf(ours);
  }

  private static int exitCode(String... command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor(30, TimeUnit.SECONDS) ? process.exitValue() : -1;
    } catch (IOException e) {
      return -1;
    }
  }

  private static ConsumerRecord<byte[], byte[]> recordOf(String topic, String key) {
    try (var consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, Partitions.of(key, 3));
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (System.nanoTime() < deadline) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (key.equals(new String(record.key(), StandardCharsets.UTF_8))) {
            return record;
          }
        }
      }
    }
    throw new AssertionError("no record of " + key + " in " + topic);
  }
}
