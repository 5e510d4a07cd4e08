package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.LoadProgress;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.SettingsException;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** How a worker starts and stops, and what it says when it cannot. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WorkerStartIT {
  private static final Path TWO_SHARDS = Path.of("../engine/src/test/resources/golden/llama-tp");

  private final ScriptedEngine.Script script = new ScriptedEngine.Script();
  private KafkaEnvironment environment;
  private KafkaSettings kafka;

  @BeforeAll
  void createTopics(KafkaEnvironment given) {
    environment = given;
    environment.createTopics();
    kafka = kafka(environment.bootstrapServers(), environment.catalogue().prefix(), 3);
  }

  private KafkaSettings kafka(String servers, String prefix, int partitions) {
    return new KafkaSettings(
        servers, environment.registryUri(), prefix, partitions, (short) 1, Map.of());
  }

  private void assertRefused(KafkaSettings settings, Map<String, ?> changes, String... words) {
    assertThatThrownBy(() -> Workers.scripted("refused", script, settings, changes))
        .isInstanceOf(WorkerStartException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(words).doesNotContain("\n"));
  }

  @Test
  void shouldNameTheServersWhenTheBrokerIsOutOfReach() {
    assertRefused(
        kafka("127.0.0.1:1", "", 3), Map.of(), "127.0.0.1:1", "lensflow.kafka.bootstrap-servers");
  }

  @Test
  void shouldNameTheTopicsWhenTheyAreMissing() {
    assertRefused(
        kafka(environment.bootstrapServers(), "nowhere.", 3),
        Map.of(),
        "nowhere.completions",
        "lensflow.worker.create-topics");
  }

  @Test
  void shouldNameTheSettingWhenPartitionsDiffer() {
    assertRefused(
        kafka(environment.bootstrapServers(), environment.catalogue().prefix(), 5),
        Map.of(),
        "lensflow.kafka.request-partitions",
        "3");
  }

  @Test
  void shouldNameBothKeysWhenThereAreMoreSlotsThanAGroupTakes() {
    assertRefused(kafka, Map.of("slots", 5000), "lensflow.worker.slots", "group.share.max.size");
    assertRefused(
        kafka,
        Map.of("batch.slots", 5000, "create-topics", true, "served-name", "many"),
        "lensflow.worker.batch.slots",
        "group.share.max.size");
  }

  @Test
  void shouldNameBothSettingsWhenChunksAreLargerThanTheTopicTakes() {
    assertRefused(
        kafka,
        Map.of("publisher.max-record-bytes", 64_000_000),
        "lensflow.worker.publisher.max-record-bytes",
        "max.message.bytes");
  }

  @Test
  void shouldNameThePortWhenItIsBusy() throws IOException {
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      assertRefused(
          kafka,
          Map.of("http.port", busy.getLocalPort()),
          "lensflow.worker.http.port",
          Integer.toString(busy.getLocalPort()));
    }
  }

  @Test
  void shouldNameTheFolderWhenThereIsNoModel(@TempDir Path empty) {
    assertThatThrownBy(
            () -> WorkerService.start(Workers.settings("refused", empty, Map.of()), kafka))
        .isInstanceOf(WorkerStartException.class)
        .hasMessageContaining("lensflow.worker.model")
        .hasMessageContaining(empty.toString());
  }

  @Test
  void shouldNameTheRanksWhenTheModelCannotBeSplit() {
    assertThatThrownBy(
            () ->
                WorkerService.start(
                    Workers.settings("refused", TWO_SHARDS, Map.of("ranks", 3)), kafka))
        .isInstanceOf(SettingsException.class)
        .hasMessage(
            "lensflow.worker.ranks: 3 tensor-parallel ranks cannot share 8 query and 4 key/value"
                + " heads evenly; possible are 1, 2, 4, 8");
  }

  @Test
  void shouldNameTheFileWhenTheCheckpointIsBroken(@TempDir Path folder) throws IOException {
    Files.copy(
        ScriptedEngine.modelFolder().resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    Files.writeString(folder.resolve("config.json"), "{ broken");
    assertThatThrownBy(
            () ->
                WorkerService.start(
                    Workers.settings("refused", folder, Map.of()),
                    kafka,
                    () -> EngineLoader.load(folder, EngineOptions.defaults()),
                    cause -> {}))
        .isInstanceOf(WorkerStartException.class)
        .hasMessageContaining("config.json");
  }

  @Test
  void shouldSayHowFarItIsWhileTheCheckpointIsLoaded() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch seen = new CountDownLatch(1);
    LoadProgress slow =
        (read, total) -> {
          reading.countDown();
          awaitQuietly(seen);
        };
    CompletableFuture<WorkerService> start =
        CompletableFuture.supplyAsync(
            () ->
                WorkerService.start(
                    Workers.settings("loads", TWO_SHARDS, Map.of("http.port", port)), kafka, slow));
    try {
      assertThat(reading.await(30, TimeUnit.SECONDS)).isTrue();
      HttpResponse<String> answer =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());

      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body())
          .containsPattern("the checkpoint is being loaded: [0-9]+ % of [0-9]+ kB read");
    } finally {
      seen.countDown();
      start.get(30, TimeUnit.SECONDS).close();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldTellHowItIsAndLeaveATombstoneWhenItStops() throws Exception {
    try (Traffic traffic = new Traffic(environment)) {
      WorkerService worker = Workers.scripted("stops", script, kafka, Map.of());
      URI base = URI.create("http://127.0.0.1:" + worker.port());
      HttpClient http = HttpClient.newHttpClient();
      HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
      WorkerHeartbeat beat = traffic.awaitHeartbeat("stops");
      traffic.awaitEnd(traffic.send(Traffic.request("abc", 3)));

      assertThat(beat.getModel()).isEqualTo("scripted");
      assertThat(beat.getLayers()).isEqualTo(ScriptedEngine.LAYERS);
      assertThat(beat.getRequestTopics()).containsExactly(traffic.topics.promptRequests());
      assertThat(beat.getSlots()).isEqualTo(4);
      // Its topic does not exist here, and is not created unasked.
      assertThat(beat.getBatchRequestTopic()).isEmpty();
      HttpRequest ready = HttpRequest.newBuilder(base.resolve("/readyz")).build();
      assertThat(http.send(ready, text).statusCode()).isEqualTo(200);
      HttpRequest metrics = HttpRequest.newBuilder(base.resolve("/metrics")).build();
      assertThat(http.send(metrics, text).body())
          .contains("lensflow_worker_tokens_total 3.0")
          .contains("lensflow_worker_step_seconds");

      worker.close();

      Await.until(
          Traffic.PATIENCE,
          () -> traffic.heartbeats.stream().anyMatch(seen -> seen.value() == null));
    }
  }

  @Test
  void shouldEndTheProcessWhenTheDeviceIsLost() throws Exception {
    CompletableFuture<Throwable> fatal = new CompletableFuture<>();
    try (Traffic traffic = new Traffic(environment);
        WorkerService worker =
            WorkerService.start(
                Workers.settings(
                    "lost",
                    ScriptedEngine.modelFolder(),
                    Map.of("served-name", "lost", "stop-timeout", "100ms")),
                kafka,
                () -> new ScriptedEngine(script),
                fatal::complete)) {
      script.nextFailure = new IllegalStateException("CUDA error: an illegal memory access");
      traffic.send(Traffic.request("abc", 3, r -> r.setModel("lost")));

      assertThat(fatal.get(30, TimeUnit.SECONDS)).hasMessageContaining("illegal memory access");
      assertThat(worker.port()).isPositive();
    }
  }
}
