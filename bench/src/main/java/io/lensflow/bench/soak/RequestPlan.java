package io.lensflow.bench.soak;

import io.lensflow.bench.soak.PlannedRequest.Kind;
import io.lensflow.records.Capture;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Sampling;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.lens.ServedLenses;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What is sent when: a function of the seed. Not thread-safe. */
final class RequestPlan {
  private static final Map<Kind, Integer> WEIGHTS = new EnumMap<>(Kind.class);

  static {
    WEIGHTS.put(Kind.SHORT, 30);
    WEIGHTS.put(Kind.LONG, 18);
    WEIGHTS.put(Kind.STEERED, 16);
    WEIGHTS.put(Kind.SAMPLED, 8);
    WEIGHTS.put(Kind.TWICE, 6);
    WEIGHTS.put(Kind.CANCELLED, 10);
    WEIGHTS.put(Kind.INVALID, 6);
    WEIGHTS.put(Kind.BROKEN_REQUEST, 3);
    WEIGHTS.put(Kind.BROKEN_CHUNK, 3);
  }

  private static final List<String> WORDS =
      List.of(
          "the capital of France is Paris and Monday comes before Tuesday while honest people say"
              .split(" "));
  private static final List<String> POSITIONS =
      List.of("all", "all", "prompt", "generated", "last_prompt");
  private static final List<String> STEERED_POSITIONS =
      List.of("all", "from_label", "generated", "last_prompt");
  private static final int BROKEN_BYTES = 64;
  private static final int UNKNOWN_SCHEMA = 987_654_321;

  private final Random random;
  private final String model;
  private final int layers;
  private final List<String> vectors;

  private RequestPlan(long seed, String model, int layers, List<String> vectors) {
    this.random = new Random(seed);
    this.model = model;
    this.layers = layers;
    this.vectors = vectors;
  }

  /**
   * Makes the plan.
   *
   * @param model served name
   * @param layers L
   * @param vectors names of those that are published
   */
  static List<PlannedRequest> of(
      SoakSettings settings, String model, int layers, List<String> vectors) {
    RequestPlan plan = new RequestPlan(settings.seed(), model, layers, vectors);
    List<PlannedRequest> requests = new ArrayList<>();
    double at = 0;
    while (at < settings.duration().toMillis() / 1e3) {
      requests.add(plan.next(requests.size(), Duration.ofMillis(Math.round(1e3 * at))));
      at += -Math.log(1 - plan.random.nextDouble()) / settings.rate();
    }
    return List.copyOf(requests);
  }

  private PlannedRequest next(int index, Duration at) {
    Kind kind = kind();
    return switch (kind) {
      case SHORT, TWICE -> request(index, at, kind, base(1 + random.nextInt(12)), null);
      case LONG -> request(index, at, kind, thin(base(100 + random.nextInt(200))), null);
      case STEERED -> request(index, at, kind, steered(base(4 + random.nextInt(20))), null);
      case SAMPLED -> request(index, at, kind, sampled(base(4 + random.nextInt(30))), null);
      case CANCELLED ->
          request(
              index,
              at,
              kind,
              thin(base(250 + random.nextInt(50))),
              Duration.ofMillis(random.nextInt(500)));
      case INVALID -> invalid(index, at);
      case BROKEN_REQUEST, BROKEN_CHUNK ->
          new PlannedRequest(index, at, kind, null, brokenBytes(), "", null);
    };
  }

  private Kind kind() {
    int drawn = random.nextInt(WEIGHTS.values().stream().mapToInt(Integer::intValue).sum());
    for (Map.Entry<Kind, Integer> weight : WEIGHTS.entrySet()) {
      drawn -= weight.getValue();
      if (drawn < 0) {
        return weight.getKey();
      }
    }
    throw new IllegalStateException("weights do not add up");
  }

  private static PlannedRequest request(
      int index, Duration at, Kind kind, PromptRequest.Builder request, Duration cancelAfter) {
    return new PlannedRequest(index, at, kind, request.build(), null, "", cancelAfter);
  }

  private PromptRequest.Builder base(int newTokens) {
    return PromptRequest.newBuilder()
        .setModel(model)
        .setPrompt(Prompt.newBuilder().setText(text()).build())
        .setMaxNewTokens(random.nextInt(12) == 0 ? 0 : newTokens)
        .setIgnoreEos(true)
        .setCapture(capture())
        .setLenses(lenses());
  }

  private String text() {
    return IntStream.range(0, 2 + random.nextInt(24))
        .mapToObj(i -> WORDS.get(random.nextInt(WORDS.size())))
        .collect(Collectors.joining(" "));
  }

  private Capture capture() {
    List<HookPoint> known = Arrays.stream(HookPoint.values()).skip(1).toList();
    List<HookPoint> hookPoints = new ArrayList<>(List.of(HookPoint.RESIDUAL_POST));
    if (random.nextInt(3) == 0) {
      HookPoint other = known.get(random.nextInt(known.size()));
      hookPoints = random.nextBoolean() ? List.of(other) : List.of(HookPoint.RESIDUAL_POST, other);
      hookPoints = hookPoints.stream().distinct().toList();
    }
    return Capture.newBuilder()
        .setHookPoints(hookPoints)
        .setLayers(random.nextInt(3) == 0 ? "all" : someLayers())
        .setPositions(POSITIONS.get(random.nextInt(POSITIONS.size())))
        .build();
  }

  private String someLayers() {
    return IntStream.range(0, layers)
        .filter(layer -> layer == layers - 1 || random.nextInt(3) == 0)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(","));
  }

  /** Mostly one lens; sometimes none, so that rows travel for themselves. */
  private List<LensRequest> lenses() {
    if (random.nextInt(10) == 0) {
      return List.of();
    }
    List<LensMetric> metrics =
        Arrays.stream(LensMetric.values())
            .filter(metric -> ServedLenses.METRICS.contains(metric))
            .filter(metric -> metric != LensMetric.PROJECTIONS && random.nextInt(4) > 0)
            .toList();
    return List.of(
        LensRequest.newBuilder()
            .setTopK(1 + random.nextInt(8))
            .setMetrics(metrics.isEmpty() ? List.of(LensMetric.TOP_K) : metrics)
            .setAccuracy(random.nextBoolean() ? LensAccuracy.FAST : LensAccuracy.EXACT)
            .build());
  }

  /** So that a long one does not fill the disk: two layers. */
  private PromptRequest.Builder thin(PromptRequest.Builder request) {
    Capture capture = Capture.newBuilder(request.getCapture()).build();
    capture.setLayers("0," + (layers - 1));
    return request.setCapture(capture).setMaxNewTokens(Math.max(80, request.getMaxNewTokens()));
  }

  private PromptRequest.Builder steered(PromptRequest.Builder request) {
    List<SteeringRequest> steering = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(2); i++) {
      steering.add(
          SteeringRequest.newBuilder()
              .setName(vectors.get(random.nextInt(vectors.size())))
              .setMultiplier(0.5f + random.nextInt(4) / 2f)
              .setPositions(STEERED_POSITIONS.get(random.nextInt(STEERED_POSITIONS.size())))
              .setPreserveNorm(random.nextBoolean())
              .build());
    }
    return request.setSteering(steering);
  }

  private PromptRequest.Builder sampled(PromptRequest.Builder request) {
    return request.setSampling(
        Sampling.newBuilder().setTemperature(1).setSeed(random.nextLong()).build());
  }

  private PlannedRequest invalid(int index, Duration at) {
    PromptRequest request = base(4).build();
    String field;
    switch (random.nextInt(5)) {
      case 0 -> {
        request.getCapture().setLayers("0-" + layers);
        field = "capture.layers";
      }
      case 1 -> {
        request.getCapture().setPositions("everywhere");
        field = "capture.positions";
      }
      case 2 -> {
        request.getSampling().setTemperature(-1);
        field = "sampling.temperature";
      }
      case 3 -> {
        request.setMaxNewTokens(-1);
        field = "maxNewTokens";
      }
      default -> {
        request.setPrompt(Prompt.newBuilder().setTokenIds(List.of(Integer.MAX_VALUE)).build());
        field = "prompt.tokenIds";
      }
    }
    return new PlannedRequest(index, at, Kind.INVALID, request, null, field, null);
  }

  /** Noise, or what looks like a record of a schema that does not exist. */
  private byte[] brokenBytes() {
    byte[] bytes = new byte[BROKEN_BYTES];
    random.nextBytes(bytes);
    bytes[0] = (byte) (1 + random.nextInt(100));
    if (random.nextBoolean()) {
      ByteBuffer.wrap(bytes).put((byte) 0).putInt(UNKNOWN_SCHEMA);
    }
    return bytes;
  }
}
