package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.client.ClientOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.Submission;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.Capture;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.service.KafkaSettings;
import io.lensflow.steering.SteeringService;
import io.lensflow.steering.SteeringSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Vectors published over HTTP while two worker processes run: both load them without a restart,
 * also the one that was frozen when they came.
 */
@ExtendWith(KafkaExtension.class)
class HotLoadIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final String MODEL = "tiny";
  private static final int HIDDEN_SIZE = 64;

  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  void shouldLoadWhatIsPublishedWhenWorkersRunAndWhenOneWasFrozen(KafkaEnvironment kafka)
      throws Exception {
    Path checkpoint = SharedData.folder("fixtures/tiny-llama31");
    kafka.createTopics();
    ClientOptions options =
        ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
    try (WorkerChild first = WorkerChild.start(kafka, "first", checkpoint, MODEL);
        WorkerChild second = WorkerChild.start(kafka, "second", checkpoint, MODEL);
        SteeringService steering = startSteering(kafka);
        LensflowClient client = LensflowClient.open(options)) {
      Await.until("both serve", LIMIT, () -> live(client).size() == 2);
      Map<String, String> incarnations = incarnations(client);
      Await.until("the steering service writes", LIMIT, steering::isWriter);

      publish(steering, MODEL, "tone", "");
      publish(steering, "other", "tone", "");
      publish(steering, MODEL, "foreign", ", \"revision\": \"of another checkpoint\"");
      Await.until(
          "both have the vector and refuse the one for another checkpoint",
          LIMIT,
          () ->
              live(client).stream()
                      .filter(worker -> has(worker, "tone", 1) && refuses(worker, "foreign"))
                      .count()
                  == 2);
      assertThat(live(client)).allSatisfy(worker -> assertThat(worker.getVectors()).hasSize(1));
      assertThat(live(client)).allSatisfy(worker -> assertThat(worker.getRefused()).hasSize(1));

      second.pause();
      Await.until("the frozen one is no longer live", LIMIT, () -> live(client).size() == 1);
      publish(steering, MODEL, "tone", "");
      Await.until("the other has it", LIMIT, () -> has(live(client).get(0), "tone", 2));
      assertThat(steeringOf(client, null))
          .singleElement()
          .satisfies(
              applied -> {
                assertThat(applied.getVersion()).isEqualTo(2);
                assertThat(applied.getMultiplier()).isEqualTo(2.5f);
                assertThat(applied.getLayer()).isEqualTo(1);
              });

      second.wake();
      Await.until(
          "the woken one has it too",
          LIMIT,
          () -> worker(client, "second").filter(worker -> has(worker, "tone", 2)).isPresent());
      assertThat(steeringOf(client, 1)).extracting(AppliedSteering::getVersion).containsExactly(1);
      Await.until("both are live", LIMIT, () -> live(client).size() == 2);
      assertThat(incarnations(client)).isEqualTo(incarnations);
      assertThat(List.of(first, second)).allMatch(WorkerChild::isAlive);
    }
  }

  /** A steering service over the test's broker. */
  static SteeringService startSteering(KafkaEnvironment kafka) throws Exception {
    return SteeringService.start(
        SteeringSettings.load(
            Map.of("lensflow.steering.host", "127.0.0.1", "lensflow.steering.port", 0)),
        new KafkaSettings(
            kafka.bootstrapServers(),
            kafka.registryUri(),
            kafka.catalogue().prefix(),
            kafka.catalogue().requestPartitions(),
            (short) 1,
            Map.of()));
  }

  /**
   * Publishes a vector at layer 1.
   *
   * @param more further JSON fields, with a comma before each
   */
  private void publish(SteeringService steering, String model, String name, String more)
      throws Exception {
    String values =
        IntStream.range(0, HIDDEN_SIZE)
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(","));
    String body =
        "{\"layer\": 1, \"hookPoint\": \"RESIDUAL_POST\", \"values\": [%s]%s}"
            .formatted(values, more);
    URI uri =
        URI.create(
            "http://127.0.0.1:%d/v1/models/%s/vectors/%s".formatted(steering.port(), model, name));
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
  }

  /** Runs a request steered by {@code tone} and says what its rows were really steered with. */
  private static List<AppliedSteering> steeringOf(LensflowClient client, Integer version) {
    Instant now = Instant.now();
    PromptRequest request =
        PromptRequest.newBuilder()
            .setRequestId(Ids.newId())
            .setCreatedAt(now)
            .setDeadline(now.plusSeconds(120))
            .setModel(MODEL)
            .setPrompt(Prompt.newBuilder().setTokenIds(List.of(5, 6, 7)).build())
            .setMaxNewTokens(2)
            .setIgnoreEos(true)
            .setCapture(Capture.newBuilder().build())
            .setLenses(List.of())
            .setSteering(
                List.of(
                    SteeringRequest.newBuilder()
                        .setName("tone")
                        .setVersion(version)
                        .setMultiplier(2.5f)
                        .build()))
            .build();
    Submission submission = client.submit(request);
    try (SettledStream stream = client.settled(Subscription.to(submission).withChunks())) {
      SettledRequest settled = SettledRequest.gather(stream, LIMIT);
      assertThat(settled.terminal().getType())
          .as(String.valueOf(settled.terminal().getFailure()))
          .isEqualTo(CompletionType.FINISHED);
      assertThat(settled.chunks()).isNotEmpty();
      return settled.chunks().stream()
          .map(ActivationChunk::getSteering)
          .distinct()
          .reduce(
              (one, other) -> {
                throw new AssertionError("two versions in one request: " + one + other);
              })
          .orElseThrow();
    }
  }

  private static List<WorkerHeartbeat> live(LensflowClient client) {
    return client.models().liveWorkers();
  }

  private static Optional<WorkerHeartbeat> worker(LensflowClient client, String name) {
    return live(client).stream().filter(worker -> worker.getWorker().equals(name)).findFirst();
  }

  private static Map<String, String> incarnations(LensflowClient client) {
    return live(client).stream()
        .collect(Collectors.toMap(WorkerHeartbeat::getWorker, WorkerHeartbeat::getIncarnation));
  }

  private static boolean has(WorkerHeartbeat worker, String name, int version) {
    return worker.getVectors().stream()
        .anyMatch(v -> v.getName().equals(name) && v.getVersion() == version);
  }

  private static boolean refuses(WorkerHeartbeat worker, String name) {
    return worker.getRefused().stream()
        .anyMatch(v -> v.getName().equals(name) && v.getReason().contains("revision"));
  }
}
