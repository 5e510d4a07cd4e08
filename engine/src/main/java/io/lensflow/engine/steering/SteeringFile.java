package io.lensflow.engine.steering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.Engine;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.engine.checkpoint.VectorReader;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;

/**
 * Steering described by a JSON file, with vectors from safetensors files: a list of {@code
 * {"vector": {"file", "tensor"}, "layer", "hookPoint", "operation", "multiplier", "positions",
 * "preserveNorm"}}. A relative vector file is looked up beside the JSON file. Left out, the hook
 * point is {@code ATTENTION_INPUT}, the operation {@code ADD}, the multiplier 1, the positions
 * {@code all}.
 *
 * <p>Immutable once read.
 */
public final class SteeringFile {
  private static final Set<String> FIELDS =
      Set.of(
          "vector", "layer", "hookPoint", "operation", "multiplier", "positions", "preserveNorm");

  /** Several times the widest model there is: a larger tensor is no vector of any. */
  private static final long MAX_VECTOR_BYTES = 1L << 20;

  private final Path file;
  private final List<Entry> entries = new ArrayList<>();

  private record Entry(float[] values, SteeringSite site) {}

  private SteeringFile(Path file) {
    this.file = file;
  }

  /**
   * Reads the file and its vectors.
   *
   * @throws IllegalArgumentException if an entry is wrong; names the entry, the field and the fix
   * @throws IOException if a file cannot be read
   */
  public static SteeringFile read(Path file) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": not JSON: " + e.getOriginalMessage(), e);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + ": not JSON: not UTF-8", e);
    }
    SteeringFile steering = new SteeringFile(file);
    if (!root.isArray()) {
      throw new IllegalArgumentException(file + ": not a list of steering objects");
    }
    for (int i = 0; i < root.size(); i++) {
      steering.entries.add(steering.entry("[%d]".formatted(i), root.get(i)));
    }
    return steering;
  }

  /** Puts the vectors on an engine's device. The caller closes them after use. */
  public List<SteeringSite> prepare(Engine engine) {
    List<SteeringSite> sites = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      SteeringSite site = entries.get(i).site();
      PreparedVector vector;
      try {
        vector = engine.prepare(entries.get(i).values());
      } catch (RuntimeException e) {
        sites.stream().map(SteeringSite::vector).forEach(PreparedVector::close);
        throw e instanceof IllegalArgumentException
            ? new IllegalArgumentException("%s[%d].%s".formatted(file, i, e.getMessage()), e)
            : e;
      }
      sites.add(
          new SteeringSite(
              vector,
              site.layer(),
              site.hookPoint(),
              site.operation(),
              site.multiplier(),
              site.positions(),
              site.preserveNorm()));
    }
    return sites;
  }

  private Entry entry(String at, JsonNode node) throws IOException {
    for (String field : (Iterable<String>) node::fieldNames) {
      if (!FIELDS.contains(field)) {
        throw wrong(at, field, "is unknown; known are " + FIELDS.stream().sorted().toList());
      }
    }
    JsonNode vector = node.path("vector");
    String vectorFile = vector.path("file").asText("");
    String tensor = vector.path("tensor").asText("");
    if (vectorFile.isEmpty() || tensor.isEmpty()) {
      throw wrong(at, "vector", "must be {\"file\": …, \"tensor\": …}");
    }
    if (!node.path("layer").isInt()) {
      throw wrong(at, "layer", "must be an integer");
    }
    JsonNode multiplier = node.path("multiplier");
    if (!multiplier.isMissingNode()
        && !(multiplier.isNumber() && Float.isFinite(multiplier.floatValue()))) {
      throw wrong(at, "multiplier", "must be a finite number");
    }
    JsonNode preserveNorm = node.path("preserveNorm");
    if (!preserveNorm.isMissingNode() && !preserveNorm.isBoolean()) {
      throw wrong(at, "preserveNorm", "must be true or false");
    }
    float[] values = values(at, vectorFile, tensor);
    return new Entry(
        values,
        new SteeringSite(
            new Unprepared(values.length),
            node.get("layer").intValue(),
            symbol(at, node, "hookPoint", HookPoint.ATTENTION_INPUT),
            symbol(at, node, "operation", SteeringOperation.ADD),
            (float) multiplier.asDouble(1),
            positions(at, node.path("positions")),
            preserveNorm.asBoolean(false)));
  }

  private float[] values(String at, String vectorFile, String tensor) throws IOException {
    Path path;
    try {
      path = file.resolveSibling(vectorFile);
    } catch (InvalidPathException e) {
      throw wrong(at, "vector.file", "is not a path: " + e.getReason());
    }
    try (SafetensorsFile source = SafetensorsFile.open(path)) {
      TensorInfo info = source.tensor(tensor);
      if (info.byteCount() > MAX_VECTOR_BYTES) {
        throw wrong(at, "vector", "has shape " + info.shape() + "; one row of D is wanted");
      }
      float[] values = VectorReader.read(source, tensor);
      for (int i = 0; i < values.length; i++) {
        if (!Float.isFinite(values[i])) {
          throw wrong(at, "vector", "holds %s at element %d".formatted(values[i], i));
        }
      }
      return values;
    }
  }

  private <T extends Enum<T>> T symbol(String at, JsonNode node, String field, T fallback) {
    JsonNode value = node.path(field);
    if (value.isMissingNode()) {
      return fallback;
    }
    T[] symbols = fallback.getDeclaringClass().getEnumConstants();
    for (T symbol : symbols) {
      if (symbol.name().equals(value.asText().toUpperCase(Locale.ROOT))) {
        return symbol;
      }
    }
    throw wrong(at, field, "is %s; known are %s".formatted(value, Arrays.toString(symbols)));
  }

  private PositionSpec positions(String at, JsonNode node) {
    if (node.isMissingNode()) {
      return PositionSpec.ALL;
    }
    String spec = node.asText();
    if (node.isArray()) {
      StringJoiner list = new StringJoiner(",");
      node.forEach(item -> list.add(item.asText()));
      spec = list.toString();
    }
    try {
      return PositionSpec.parse(spec);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + at + "." + e.getMessage(), e);
    }
  }

  private IllegalArgumentException wrong(String at, String field, String what) {
    return new IllegalArgumentException("%s%s.%s %s".formatted(file, at, field, what));
  }

  /** Stands in a site until an engine has the vector. */
  private record Unprepared(int length) implements PreparedVector {
    @Override
    public double norm() {
      throw new IllegalStateException("not on a device yet");
    }

    @Override
    public void close() {}
  }
}
