package io.lensflow.steering.exchange;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Vectors in safetensors files: one tensor [D] per site, named {@code HOOK_POINT.LAYER}, such as
 * {@code RESIDUAL_POST.14}; what else there is to say stands in the file's metadata under {@code
 * lensflow.*}. Files of other tools are read where a {@link TensorChoice} says what their names do
 * not. Stateless.
 *
 * <p>The format: 8 bytes with the length of a JSON header, the header, then the tensors, all
 * little-endian.
 */
public final class SafetensorsFormat {
  private static final String METADATA = "__metadata__";
  private static final String PREFIX = "lensflow.";
  private static final int ALIGNMENT = 8;
  private static final Pattern OWN_NAME = Pattern.compile("([A-Z_]+)\\.(\\d{1,6})");
  private static final Pattern NUMBERED = Pattern.compile("(?:.*\\D)?(\\d{1,6})");
  private static final ObjectMapper JSON = new ObjectMapper();

  private SafetensorsFormat() {}

  /** The file's bytes. */
  public static byte[] write(VectorContent content) {
    ObjectNode header = JSON.createObjectNode();
    ObjectNode metadata = header.putObject(METADATA);
    new TreeMap<>(content.metadata()).forEach((key, value) -> metadata.put(PREFIX + key, value));
    int offset = 0;
    for (SiteDraft site : content.sites()) {
      int end = offset + Float.BYTES * site.values().length;
      ObjectNode tensor = header.putObject(site.hookPoint() + "." + site.layer());
      tensor.put("dtype", "F32");
      tensor.putArray("shape").add(site.values().length);
      tensor.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] json = bytes(header);
    int padded = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer file =
        ByteBuffer.allocate(Long.BYTES + padded + offset).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(padded).put(json);
    while (file.position() < Long.BYTES + padded) {
      file.put((byte) ' ');
    }
    content.sites().forEach(site -> file.put(Float32.encode(site.values())));
    return file.array();
  }

  private static byte[] bytes(ObjectNode header) {
    try {
      return JSON.writeValueAsBytes(header);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts and numbers is always JSON", e);
    }
  }

  /**
   * Reads a file.
   *
   * @throws RefusedException if it is damaged, or its tensors are no vectors, or nobody says where
   *     they act
   */
  public static VectorContent read(byte[] file, TensorChoice choice) {
    ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    JsonNode header = header(buffer);
    ByteBuffer data = buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (choice.tensor() != null && !header.has(choice.tensor())) {
      throw RefusedException.invalid(
          "tensor",
          "the file has no tensor '%s'; it has %s".formatted(choice.tensor(), names(header)));
    }
    List<String> wanted = choice.tensor() == null ? names(header) : List.of(choice.tensor());
    if (wanted.isEmpty()) {
      throw wrong("it holds no tensor");
    }
    if (choice.layer() != null && wanted.size() > 1) {
      throw RefusedException.invalid(
          "layer",
          "the file has %d tensors; say which one acts there: tensor".formatted(wanted.size()));
    }
    List<SiteDraft> sites = new ArrayList<>();
    for (String name : wanted) {
      sites.add(site(name, values(name, header.get(name), data), choice));
    }
    return new VectorContent(sites, metadata(header));
  }

  private static JsonNode header(ByteBuffer file) {
    if (file.remaining() < Long.BYTES) {
      throw wrong("it ends before its header");
    }
    long length = file.getLong();
    if (length < 2 || length > file.remaining()) {
      throw wrong("its header says %d bytes, %d follow".formatted(length, file.remaining()));
    }
    byte[] json = new byte[(int) length];
    file.get(json);
    try {
      JsonNode header = JSON.readTree(json);
      if (header.isObject()) {
        return header;
      }
    } catch (IOException e) {
      throw wrong("its header is not JSON");
    }
    throw wrong("its header is not a JSON object");
  }

  private static List<String> names(JsonNode header) {
    List<String> names = new ArrayList<>();
    header.fieldNames().forEachRemaining(names::add);
    names.remove(METADATA);
    return names;
  }

  private static Map<String, String> metadata(JsonNode header) {
    Map<String, String> metadata = new TreeMap<>();
    header
        .path(METADATA)
        .properties()
        .forEach(
            entry -> {
              if (entry.getKey().startsWith(PREFIX)) {
                metadata.put(entry.getKey().substring(PREFIX.length()), entry.getValue().asText());
              }
            });
    return metadata;
  }

  private static float[] values(String name, JsonNode tensor, ByteBuffer data) {
    JsonNode shape = tensor.path("shape");
    long length = shape.isEmpty() ? 0 : 1;
    long longest = 0;
    for (JsonNode size : shape) {
      length *= Math.max(0, size.asLong());
      longest = Math.max(longest, size.asLong());
    }
    if (length == 0 || length != longest) {
      throw wrong("tensor '%s' has shape %s; one row of D is wanted".formatted(name, shape));
    }
    StoredType type = StoredType.of(name, tensor.path("dtype").asText());
    long from = tensor.path("data_offsets").path(0).asLong(-1);
    long to = tensor.path("data_offsets").path(1).asLong(-1);
    if (from < 0 || to > data.capacity() || to - from != length * type.bytes()) {
      throw wrong("tensor '%s' does not lie where the header says".formatted(name));
    }
    ByteBuffer bytes = data.slice((int) from, (int) (to - from)).order(ByteOrder.LITTLE_ENDIAN);
    return type.floats(bytes, (int) length);
  }

  private static SiteDraft site(String name, float[] values, TensorChoice choice) {
    String field = "tensor '%s': ".formatted(name);
    Matcher own = OWN_NAME.matcher(name);
    HookPoint hookPoint = choice.hookPoint();
    if (hookPoint == null && own.matches()) {
      hookPoint = hookPoint(own.group(1));
    }
    if (hookPoint == null) {
      throw RefusedException.invalid(
          "hookPoint",
          "tensor '%s' does not say where it acts (HOOK_POINT.LAYER); give hookPoint, and layer where its name has none"
              .formatted(name));
    }
    Matcher numbered = NUMBERED.matcher(name);
    if (choice.layer() == null && !numbered.matches()) {
      throw RefusedException.invalid(
          "layer", "tensor '%s' does not say its layer; give tensor and layer".formatted(name));
    }
    int layer = choice.layer() != null ? choice.layer() : Integer.parseInt(numbered.group(1));
    return new SiteDraft(field, layer, hookPoint, values);
  }

  private static HookPoint hookPoint(String name) {
    for (HookPoint hookPoint : HookPoint.values()) {
      if (hookPoint != HookPoint.UNKNOWN && hookPoint.name().equals(name)) {
        return hookPoint;
      }
    }
    return null;
  }

  private static RefusedException wrong(String what) {
    return RefusedException.invalid(null, "the file is no safetensors file of a vector: " + what);
  }
}
