package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.LoadProgress;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringFile;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.Tokenizer;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Runs the engine alone over one prompt and writes what passed: {@code token_ids} [P], {@code
 * generated_ids} [G], {@code logits} [N, V] in float32 over the N = P+G−1 rows, {@code positions}
 * [N'], and for each hook point a tensor of its name in lower case, [layers, N', D] in the dtype of
 * the computation, over the N' captured ones; on request also what the lens says about them, {@link
 * CaptureLens}. The file's metadata name the layers.
 *
 * <p>Runs on the calling thread, with an engine of its own.
 */
public final class CaptureRun {
  /** What a run takes beside logits and rows. */
  private static final long HEAP_OF_THE_REST = 128L << 20;

  private final CaptureOptions options;
  private final LoadProgress progress;

  private CaptureRun(CaptureOptions options, LoadProgress progress) {
    this.options = options;
    this.progress = progress;
  }

  /**
   * What was written.
   *
   * @param promptIds [P]
   * @param generatedIds [G]
   * @param rows N', those captured
   * @param text the generated tokens' text
   */
  public record Summary(int[] promptIds, int[] generatedIds, int rows, String text) {}

  /**
   * Runs it. Options are checked before weights are read.
   *
   * @throws IllegalArgumentException if an option is wrong or not supported; names option and fix
   * @throws IOException if the checkpoint is broken, or a file cannot be read or written
   */
  public static Summary run(CaptureOptions options) throws IOException {
    return run(options, LoadProgress.NONE);
  }

  /**
   * Runs it and tells how far the loading of the checkpoint is.
   *
   * @see #run(CaptureOptions)
   */
  public static Summary run(CaptureOptions options, LoadProgress progress) throws IOException {
    return new CaptureRun(options, progress).run();
  }

  private Summary run() throws IOException {
    atLeast("--tensor-parallel", options.tensorParallel(), 1);
    atLeast("--threads", options.threads(), 0);
    atLeast("--max-new-tokens", options.maxNewTokens(), 0);
    DType dtype = dtype();
    List<HookPoint> points = HookPointList.parse("--hook-points", options.hookPoints());
    PositionSpec positions = positions();
    CaptureLens lens = options.lens() == null ? null : new CaptureLens(options.lens());
    SteeringFile steering =
        options.steering() == null ? null : SteeringFile.read(options.steering());
    ModelConfig config;
    try (Checkpoint checkpoint = Checkpoint.open(options.model())) {
      config = checkpoint.config().model();
    }
    List<Integer> layers = LayerSpec.resolve(options.layers(), config.layers());
    int[] prompt = prompt(config);
    int length = rows(prompt.length, options.maxNewTokens());
    if (length > config.maxPositions()) {
      throw new IllegalArgumentException(
          "the prompt's %d tokens and --max-new-tokens %d exceed the model's context of %d"
              .formatted(prompt.length, options.maxNewTokens(), config.maxPositions()));
    }
    CapturePlan plan = plan(points, layers, positions, lens);
    int captured = capturedPositions(plan, prompt.length, options.maxNewTokens()).length;
    checkHeap(length, captured, config, plan, Runtime.getRuntime().maxMemory());
    try (Engine engine = load(dtype, length)) {
      return run(engine, prompt, points, plan, steering, lens);
    }
  }

  /**
   * Everything is held until it is written; better refused now than out of memory after an hour.
   *
   * @param n rows at most
   * @param captured N', those captured
   * @param heap bytes that Java may take
   */
  static void checkHeap(int n, int captured, ModelConfig config, CapturePlan plan, long heap) {
    long logits = (long) n * config.vocabularySize() * Float.BYTES;
    long rows =
        (long) captured
            * plan.hookPoints().size()
            * plan.layers().size()
            * config.hiddenSize()
            * Float.BYTES;
    long needed = logits + rows + HEAP_OF_THE_REST;
    if (needed > heap) {
      throw new IllegalArgumentException(
          "%d rows take %d MB of logits, and %d captured positions up to %d MB; Java may take %d MB: ask for fewer --layers, --hook-points, --positions or --max-new-tokens, or set JAVA_OPTS=-Xmx%dm"
              .formatted(n, logits >> 20, captured, rows >> 20, heap >> 20, (needed >> 20) + 1));
    }
  }

  /** The hook points of the file come first, then those that only the lens needs. */
  private static CapturePlan plan(
      List<HookPoint> points, List<Integer> layers, PositionSpec positions, CaptureLens lens) {
    Set<HookPoint> all = new LinkedHashSet<>(points);
    all.addAll(lens == null ? List.of() : lens.hookPoints());
    return new CapturePlan(List.copyOf(all), layers, positions, lens != null && lens.needsModel());
  }

  private static void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s is %d; it must be at least %d".formatted(option, value, least));
    }
  }

  private Engine load(DType dtype, int length) throws IOException {
    EngineOptions engineOptions =
        EngineOptions.defaults()
            .withDType(dtype)
            .withKvTokens(length)
            .withRanks(options.tensorParallel())
            .withDeterministic(options.deterministic());
    if (!options.devices().isEmpty()) {
      engineOptions = engineOptions.withDevices(devices());
    }
    if (options.threads() > 0) {
      engineOptions = engineOptions.withThreads(options.threads());
    }
    try {
      return EngineLoader.load(options.model(), engineOptions, progress);
    } catch (IllegalArgumentException e) {
      String option = options.devices().isEmpty() ? "--tensor-parallel" : "--devices";
      throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
    }
  }

  private Summary run(
      Engine engine,
      int[] prompt,
      List<HookPoint> points,
      CapturePlan plan,
      SteeringFile steering,
      CaptureLens lens)
      throws IOException {
    List<SteeringSite> sites = steering == null ? List.of() : steering.prepare(engine);
    try {
      List<StepOutput> steps = new ArrayList<>();
      int[] generated =
          Generation.greedy(
                  options.maxNewTokens(),
                  options.ignoreEos() ? Set.of() : engine.config().eosTokenIds())
              .capturing(plan)
              .steered(sites)
              .withAllLogits()
              .run(engine, prompt, steps::add);
      int[] positions = capturedPositions(plan, prompt.length, generated.length);
      write(engine, prompt, generated, points, plan, steps, positions, lens);
      return new Summary(prompt, generated, positions.length, engine.tokenizer().decode(generated));
    } finally {
      sites.stream().map(SteeringSite::vector).forEach(PreparedVector::close);
    }
  }

  private static int[] capturedPositions(CapturePlan plan, int prompt, int generated) {
    return IntStream.range(0, rows(prompt, generated))
        .filter(position -> plan.positions().selects(position, prompt))
        .toArray();
  }

  /** P+G−1, or P where nothing is generated. */
  private static int rows(int prompt, int generated) {
    return prompt + Math.max(0, generated - 1);
  }

  private void write(
      Engine engine,
      int[] prompt,
      int[] generated,
      List<HookPoint> points,
      CapturePlan plan,
      List<StepOutput> steps,
      int[] positions,
      CaptureLens lens)
      throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.add("token_ids", prompt);
    writer.add("generated_ids", generated);
    writer.add(
        "logits",
        DType.FLOAT32.safetensorsName(),
        new long[] {rows(prompt.length, generated.length), engine.config().vocabularySize()},
        steps.stream().map(step -> bytes(step.logits())).toList());
    writer.add("positions", positions);
    // A step whose positions are all left out has no rows.
    List<StepOutput> captured = steps.stream().filter(step -> !step.rows().isEmpty()).toList();
    for (int i = 0; i < points.size(); i++) {
      writer.add(
          points.get(i).fileName(),
          engine.dtype().safetensorsName(),
          new long[] {plan.layers().size(), positions.length, engine.config().hiddenSize()},
          layerMajor(captured, i, plan.layers().size()));
    }
    String layers = plan.layers().stream().map(String::valueOf).collect(Collectors.joining(","));
    Map<String, String> metadata = new HashMap<>();
    metadata.put("layers", layers);
    metadata.put("revision", engine.revision());
    metadata.put("model", modelName());
    if (lens != null) {
      int[] next = new int[positions.length];
      for (int row = 0; row < next.length; row++) {
        int at = positions[row] + 1 - prompt.length;
        next[row] =
            at < 0 ? prompt[positions[row] + 1] : at < generated.length ? generated[at] : -1;
      }
      metadata.put("lens", decode(engine, plan, captured, next, lens, writer));
    }
    writer.write(options.output(), metadata);
  }

  /**
   * Adds what the lens says about all rows.
   *
   * @return the lens's name
   */
  private String decode(
      Engine engine,
      CapturePlan plan,
      List<StepOutput> steps,
      int[] targets,
      CaptureLens lens,
      SafetensorsWriter writer)
      throws IOException {
    ByteBuffer finals =
        lens.needsModel()
            ? joined(steps.stream().map(step -> step.finalRows().payload().duplicate()).toList())
            : null;
    CaptureLens.Rows rows =
        new CaptureLens.Rows(engine.dtype(), plan.layers(), targets.length, targets, finals);
    LensHeadOptions headOptions = LensHeadOptions.defaults();
    if (options.threads() > 0) {
      headOptions = headOptions.withThreads(options.threads());
    }
    Path file = lens.options().translator();
    try (LensHead head = LensHead.load(options.model(), headOptions);
        LensTranslator translator =
            file == null ? null : LensTranslator.load(file, head.config(), null, head.revision())) {
      for (HookPoint point : lens.hookPoints()) {
        int at = plan.hookPoints().indexOf(point);
        ByteBuffer values = joined(layerMajor(steps, at, plan.layers().size()));
        lens.write(point, values, rows, head, translator, writer);
      }
      return translator == null ? "logit" : translator.name();
    }
  }

  private static ByteBuffer joined(List<ByteBuffer> parts) {
    int size = parts.stream().mapToInt(ByteBuffer::remaining).reduce(0, Math::addExact);
    ByteBuffer joined = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    parts.forEach(joined::put);
    return joined.flip();
  }

  /** Steps hold [layers, rows of the step, D]; the file holds all rows of a layer together. */
  private static List<ByteBuffer> layerMajor(List<StepOutput> steps, int hookPoint, int layers) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (StepOutput step : steps) {
        ByteBuffer payload = step.rows().get(hookPoint).payload();
        int size = payload.remaining() / layers;
        parts.add(payload.slice(payload.position() + layer * size, size));
      }
    }
    return parts;
  }

  static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(Float.BYTES, values.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private String modelName() {
    return options.modelName() == null
        ? options.model().toAbsolutePath().normalize().getFileName().toString()
        : options.modelName();
  }

  private int[] prompt(ModelConfig config) throws IOException {
    if ((options.prompt() == null) == (options.tokenIds() == null)) {
      throw new IllegalArgumentException("give either --prompt or --token-ids");
    }
    if (options.tokenIds() != null) {
      return tokenIds(config);
    }
    try (Tokenizer tokenizer = Tokenizer.load(options.model())) {
      int[] ids = tokenizer.encode(options.prompt());
      if (ids.length == 0) {
        throw new IllegalArgumentException("--prompt gives no tokens; it must not be empty");
      }
      return ids;
    }
  }

  private int[] tokenIds(ModelConfig config) {
    try {
      int[] ids =
          Arrays.stream(options.tokenIds().split(",", -1))
              .mapToInt(id -> Integer.parseInt(id.strip()))
              .toArray();
      for (int id : ids) {
        if (id < 0 || id >= config.vocabularySize()) {
          throw new IllegalArgumentException(
              "--token-ids: %d is not of this model's vocabulary, 0 … %d"
                  .formatted(id, config.vocabularySize() - 1));
        }
      }
      return ids;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "--token-ids '%s' is not a list such as 1,2,3".formatted(options.tokenIds()), e);
    }
  }

  private PositionSpec positions() {
    try {
      return PositionSpec.parse(options.positions());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--" + e.getMessage(), e);
    }
  }

  private List<String> devices() {
    if (options.devices().size() != options.tensorParallel()) {
      throw new IllegalArgumentException(
          "--devices names %d for --tensor-parallel %d; name one for each rank"
              .formatted(options.devices().size(), options.tensorParallel()));
    }
    return options.devices();
  }

  private DType dtype() {
    if (options.dtype() == null) {
      return null;
    }
    return switch (options.dtype().toLowerCase(Locale.ROOT)) {
      case "float32" -> DType.FLOAT32;
      case "bfloat16" -> DType.BFLOAT16;
      default ->
          throw new IllegalArgumentException(
              "--dtype '%s' is not supported; use float32 or bfloat16".formatted(options.dtype()));
    };
  }
}
