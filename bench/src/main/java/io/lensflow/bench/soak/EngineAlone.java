package io.lensflow.bench.soak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * The undisturbed engine, in float32: runs each request again by itself, along the tokens that were
 * published, and writes what the records should hold. Where it would have chosen the same token at
 * every row it would also have generated the same sequence, so that one pass tells both.
 *
 * <p>Per request a safetensors file: {@code rows.HOOK_POINT} [layers, positions, D] in F32, {@code
 * layers}, {@code positions}, and per position {@code choices}, the highest logit's id, with {@code
 * gaps}, how far it is ahead of the second. Used by one thread.
 */
final class EngineAlone implements AutoCloseable {
  private static final int CHUNK = 128;

  private final Engine engine;
  private final SoakVectors vectors;
  private final Map<String, PreparedVector> prepared = new HashMap<>();
  private final ObjectMapper json = new ObjectMapper();

  EngineAlone(Path model, SoakVectors vectors) throws IOException {
    this.engine = EngineLoader.load(model, EngineOptions.defaults().withDType(DType.FLOAT32));
    this.vectors = vectors;
  }

  /**
   * Runs all cases.
   *
   * @param cases a JSON object a line, as the checker writes them
   * @param folder where a file for each goes
   */
  void run(Path cases, Path folder) throws IOException {
    Files.createDirectories(folder);
    try (BufferedReader lines = Files.newBufferedReader(cases)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode request = json.readTree(line);
        run(request, folder.resolve(request.path("id").asText() + ".safetensors"));
      }
    }
  }

  private void run(JsonNode request, Path file) throws IOException {
    int[] ids = ints(request.path("tokenIds"));
    int p = request.path("promptLength").asInt();
    int n = Math.max(p, ids.length - 1);
    List<HookPoint> hookPoints =
        stream(request.path("hookPoints")).map(hook -> HookPoint.valueOf(hook.asText())).toList();
    List<Integer> layers = Arrays.stream(ints(request.path("layers"))).boxed().toList();
    CapturePlan plan =
        new CapturePlan(
            hookPoints, layers, PositionSpec.parse(request.path("positions").asText()), false);
    List<SteeringSite> steering = stream(request.path("steering")).map(this::site).toList();
    List<StepOutput> steps = new ArrayList<>();
    try (Sequence sequence = engine.open(new SequenceOptions(p, n, plan, steering))) {
      for (int at = 0; at < n; at += CHUNK) {
        int[] some = Arrays.copyOfRange(ids, at, Math.min(n, at + CHUNK));
        steps.addAll(engine.step(List.of(new StepInput(sequence, some, StepInput.Logits.ALL))));
      }
    }
    write(steps, hookPoints.size(), layers, n, file);
  }

  private SteeringSite site(JsonNode applied) {
    String name = applied.path("name").asText();
    int layer = applied.path("layer").asInt();
    HookPoint hookPoint = HookPoint.valueOf(applied.path("hookPoint").asText());
    PreparedVector vector =
        prepared.computeIfAbsent(
            name + "/" + layer + "/" + hookPoint,
            key -> engine.prepare(vectors.values(name, layer, hookPoint)));
    return new SteeringSite(
        vector,
        layer,
        hookPoint,
        SteeringOperation.valueOf(applied.path("operation").asText()),
        (float) applied.path("multiplier").asDouble(),
        PositionSpec.parse(applied.path("positions").asText()),
        applied.path("preserveNorm").asBoolean());
  }

  private void write(List<StepOutput> steps, int hookPoints, List<Integer> layers, int n, Path file)
      throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    for (int hook = 0; hook < hookPoints; hook++) {
      int index = hook;
      // A step at none of the positions has no rows at all.
      List<CapturedRows> rows =
          steps.stream()
              .filter(step -> !step.rows().isEmpty())
              .map(step -> step.rows().get(index))
              .toList();
      int[] positions = rows.stream().flatMapToInt(r -> Arrays.stream(r.positions())).toArray();
      int d = engine.config().hiddenSize();
      writer.add(
          "rows." + rows.get(0).hookPoint(),
          "F32",
          new long[] {layers.size(), positions.length, d},
          byLayer(rows, layers.size()));
      if (hook == 0) {
        writer.add("positions", positions);
      }
    }
    writer.add("layers", layers.stream().mapToInt(Integer::intValue).toArray());
    choices(steps, n, writer);
    writer.write(file, Map.of());
  }

  /**
   * Each step has its own positions of every layer; the file has all positions of one layer
   * together.
   */
  private static List<ByteBuffer> byLayer(List<CapturedRows> steps, int layers) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (CapturedRows step : steps) {
        int size = step.payload().remaining() / layers;
        parts.add(step.payload().slice(step.payload().position() + layer * size, size));
      }
    }
    return parts;
  }

  private void choices(List<StepOutput> steps, int n, SafetensorsWriter writer) {
    int v = engine.config().vocabularySize();
    int[] choices = new int[n];
    ByteBuffer gaps = ByteBuffer.allocate(Float.BYTES * n).order(ByteOrder.LITTLE_ENDIAN);
    int row = 0;
    for (StepOutput step : steps) {
      for (int at = 0; at < step.logits().length; at += v) {
        int best = 0;
        float second = Float.NEGATIVE_INFINITY;
        for (int id = 1; id < v; id++) {
          float logit = step.logits()[at + id];
          if (logit > step.logits()[at + best]) {
            second = step.logits()[at + best];
            best = id;
          } else {
            second = Math.max(second, logit);
          }
        }
        choices[row++] = best;
        gaps.putFloat(step.logits()[at + best] - second);
      }
    }
    writer.add("choices", choices);
    writer.add("gaps", "F32", new long[] {n}, List.of(gaps.flip()));
  }

  private static java.util.stream.Stream<JsonNode> stream(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static int[] ints(JsonNode array) {
    return stream(array).mapToInt(JsonNode::asInt).toArray();
  }

  @Override
  public void close() {
    prepared.values().forEach(PreparedVector::close);
    engine.close();
  }
}
