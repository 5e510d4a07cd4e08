package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.client.ClientOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.Capture;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.steering.SteeringService;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Versions are published without a pause while requests run: each request is steered by one of them
 * from its first row to its last, and it is the one that its records name.
 */
@ExtendWith(KafkaExtension.class)
class PublishWhileRunningIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final String MODEL = "tiny";
  private static final int HIDDEN_SIZE = 64;
  private static final int LAYERS = 4;
  private static final int STEERED_LAYER = 1;
  private static final float MULTIPLIER = 0.5f;
  private static final int NEW_TOKENS = 24;
  private static final int LEAST_VERSIONS = 5;
  private static final int MOST_REQUESTS = 60;
  private static final int AT_ONCE = 3;
  private static final int[] PROMPT = {5, 6, 7, 8, 9};

  /** Of a row's norm: what float32 may round otherwise under another batching. */
  private static final double TOLERANCE = 3e-5;

  @Test
  void shouldMixNoVersionsAndComputeWhatTheNamedVersionGives(KafkaEnvironment kafka)
      throws Exception {
    Path checkpoint = SharedData.folder("fixtures/tiny-llama31");
    kafka.createTopics();
    ClientOptions options =
        ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
    Map<String, String> float32 = Map.of("LENSFLOW_WORKER_DTYPE", "float32");
    try (WorkerChild worker = WorkerChild.start(kafka, "one", checkpoint, MODEL, float32);
        SteeringService steering = HotLoadIT.startSteering(kafka);
        LensflowClient client = LensflowClient.open(options)) {
      Await.until("it serves", LIMIT, () -> client.models().liveWorkers().size() == 1);
      Await.until("the steering service writes", LIMIT, steering::isWriter);
      SteeringApi api = new SteeringApi(steering.advertisedUrl());
      JsonNode first = api.post(ApiPath.vector(MODEL, "tone").with("wait", "30s"), body(1));
      assertThat(first.at("/rollout/workers/0/state").asText()).isEqualTo("APPLIED");

      AtomicBoolean enough = new AtomicBoolean();
      CompletableFuture<Integer> publisher =
          CompletableFuture.supplyAsync(() -> publishUntil(enough, api));
      List<SettledRequest> answers = new ArrayList<>();
      try {
        Set<Integer> seen = new HashSet<>();
        while (seen.size() < LEAST_VERSIONS && answers.size() < MOST_REQUESTS) {
          for (SettledRequest answer : run(client)) {
            answers.add(answer);
            seen.add(version(answer));
          }
        }
        assertThat(seen)
            .as("versions that requests had")
            .hasSizeGreaterThanOrEqualTo(LEAST_VERSIONS);
      } finally {
        enough.set(true);
      }
      assertThat(publisher.join()).isGreaterThan(LEAST_VERSIONS);
      assertThat(worker.isAlive()).isTrue();
      compare(checkpoint, answers);
    }
  }

  private static int publishUntil(AtomicBoolean enough, SteeringApi api) {
    int version = 1;
    while (!enough.get()) {
      version++;
      JsonNode answer = api.post(ApiPath.vector(MODEL, "tone"), body(version));
      assertThat(answer.get("version").asInt()).isEqualTo(version);
    }
    return version;
  }

  /** The values of a version, far from those of every other. */
  private static float[] values(int version) {
    Random random = new Random(version);
    float[] values = new float[HIDDEN_SIZE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static String body(int version) {
    return "{\"layer\": %d, \"hookPoint\": \"RESIDUAL_POST\", \"values\": %s}"
        .formatted(STEERED_LAYER, Arrays.toString(values(version)));
  }

  private static List<SettledRequest> run(LensflowClient client) {
    List<CompletableFuture<SettledRequest>> running =
        IntStream.range(0, AT_ONCE)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> runOne(client)))
            .toList();
    return running.stream().map(CompletableFuture::join).toList();
  }

  private static SettledRequest runOne(LensflowClient client) {
    Instant now = Instant.now();
    PromptRequest request =
        PromptRequest.newBuilder()
            .setRequestId(Ids.newId())
            .setCreatedAt(now)
            .setDeadline(now.plusSeconds(120))
            .setModel(MODEL)
            .setPrompt(
                Prompt.newBuilder()
                    .setTokenIds(Arrays.stream(PROMPT).boxed().collect(Collectors.toList()))
                    .build())
            .setMaxNewTokens(NEW_TOKENS)
            .setIgnoreEos(true)
            .setCapture(Capture.newBuilder().build())
            .setLenses(List.of())
            .setSteering(
                List.of(
                    SteeringRequest.newBuilder().setName("tone").setMultiplier(MULTIPLIER).build()))
            .build();
    try (SettledStream stream =
        client.settled(Subscription.to(client.submit(request)).withChunks())) {
      SettledRequest settled = SettledRequest.gather(stream, LIMIT);
      assertThat(settled.terminal().getType())
          .as(String.valueOf(settled.terminal().getFailure()))
          .isEqualTo(CompletionType.FINISHED);
      return settled;
    }
  }

  /** The only version that a request's chunks and events name. */
  private static int version(SettledRequest answer) {
    Set<List<AppliedSteering>> named =
        answer.chunks().stream().map(ActivationChunk::getSteering).collect(Collectors.toSet());
    named.add(answer.accepted().orElseThrow().getAccepted().getSteering());
    assertThat(named).hasSize(1);
    assertThat(named.iterator().next()).hasSize(1);
    return named.iterator().next().get(0).getVersion();
  }

  private static void compare(Path checkpoint, List<SettledRequest> answers) throws Exception {
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32);
    try (Engine engine = EngineLoader.load(checkpoint, options)) {
      for (SettledRequest answer : answers) {
        int version = version(answer);
        float[][][] expected = alone(engine, version);
        int rows = 0;
        for (ActivationChunk chunk : answer.chunks()) {
          rows += compare(chunk, expected, version);
        }
        assertThat(rows).isEqualTo(LAYERS * (PROMPT.length + NEW_TOKENS - 1));
      }
    }
  }

  private static int compare(ActivationChunk chunk, float[][][] expected, int version) {
    float[] payload = floats(chunk.getPayload());
    int at = 0;
    for (int layer : chunk.getLayers()) {
      for (int position : chunk.getPositions()) {
        float[] row = Arrays.copyOfRange(payload, at, at + HIDDEN_SIZE);
        at += HIDDEN_SIZE;
        float[] alone = expected[layer][position];
        assertThat(distance(row, alone))
            .as("version %d, layer %d, position %d", version, layer, position)
            .isLessThanOrEqualTo(TOLERANCE * distance(alone, new float[HIDDEN_SIZE]));
      }
    }
    return chunk.getLayers().size() * chunk.getPositions().size();
  }

  /** Rows [L][N][D] of the engine alone, steered by a version. */
  private static float[][][] alone(Engine engine, int version) {
    List<Integer> layers = IntStream.range(0, LAYERS).boxed().toList();
    CapturePlan plan =
        new CapturePlan(List.of(HookPoint.RESIDUAL_POST), layers, PositionSpec.ALL, false);
    float[][][] rows = new float[LAYERS][PROMPT.length + NEW_TOKENS - 1][];
    try (PreparedVector vector = engine.prepare(values(version))) {
      SteeringSite site =
          new SteeringSite(
              vector,
              STEERED_LAYER,
              HookPoint.RESIDUAL_POST,
              SteeringOperation.ADD,
              MULTIPLIER,
              PositionSpec.ALL,
              false);
      List<StepOutput> steps = new ArrayList<>();
      Generation.greedy(NEW_TOKENS, Set.of())
          .capturing(plan)
          .steered(List.of(site))
          .run(engine, PROMPT, steps::add);
      int first = 0;
      for (StepOutput step : steps) {
        float[] payload = floats(step.rows().get(0).payload());
        int count = payload.length / LAYERS / HIDDEN_SIZE;
        for (int i = 0; i < LAYERS * count; i++) {
          rows[i / count][first + i % count] =
              Arrays.copyOfRange(payload, i * HIDDEN_SIZE, (i + 1) * HIDDEN_SIZE);
        }
        first += count;
      }
    }
    return rows;
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] floats = new float[bytes.remaining() / Float.BYTES];
    bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.pow((double) a[i] - b[i], 2);
    }
    return Math.sqrt(sum);
  }
}
