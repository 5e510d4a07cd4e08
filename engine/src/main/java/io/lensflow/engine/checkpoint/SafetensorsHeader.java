package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, parsed and checked: every tensor lies inside the file, has
 * as many bytes as its shape and type need, and shares none with another; no byte is left over.
 */
final class SafetensorsHeader {
  /** Bytes of one element, by safetensors name. */
  private static final Map<String, Integer> ELEMENT_BYTES =
      Map.ofEntries(
          Map.entry("BOOL", 1),
          Map.entry("U8", 1),
          Map.entry("I8", 1),
          Map.entry("F8_E4M3", 1),
          Map.entry("F8_E5M2", 1),
          Map.entry("U16", 2),
          Map.entry("I16", 2),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("U32", 4),
          Map.entry("I32", 4),
          Map.entry("F32", 4),
          Map.entry("U64", 8),
          Map.entry("I64", 8),
          Map.entry("F64", 8));

  private final Path file;
  private final long dataBytes;

  private SafetensorsHeader(Path file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /** What a header holds: tensors in order of their bytes, and free-form metadata. */
  record Content(Map<String, TensorInfo> tensors, Map<String, String> metadata) {}

  static Content parse(Path file, byte[] json, long dataBytes) throws CheckpointException {
    return new SafetensorsHeader(file, dataBytes).parse(json);
  }

  private Content parse(byte[] json) throws CheckpointException {
    JsonNode root = JsonFile.parse(file, json, "its header");
    Map<String, String> metadata = new LinkedHashMap<>();
    List<TensorInfo> tensors = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      if (entry.getKey().equals("__metadata__")) {
        readMetadata(entry.getValue(), metadata);
      } else {
        tensors.add(tensor(entry.getKey(), entry.getValue()));
      }
    }
    tensors.sort(
        Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::byteCount));
    Map<String, TensorInfo> byName = new LinkedHashMap<>();
    long end = 0;
    for (TensorInfo tensor : tensors) {
      if (tensor.begin() != end) {
        throw broken(
            tensor.name(),
            tensor.begin() < end
                ? "overlaps the tensor before it"
                : "leaves a hole of %d bytes before it".formatted(tensor.begin() - end));
      }
      end += tensor.byteCount();
      byName.put(tensor.name(), tensor);
    }
    if (end != dataBytes) {
      throw broken(
          "its tensors end at byte %d of %d after the header: the file is cut or padded"
              .formatted(end, dataBytes));
    }
    return new Content(byName, metadata);
  }

  private void readMetadata(JsonNode node, Map<String, String> metadata)
      throws CheckpointException {
    if (!node.isObject()) {
      throw broken("its __metadata__ is not an object");
    }
    for (Map.Entry<String, JsonNode> pair : node.properties()) {
      if (!pair.getValue().isTextual()) {
        throw broken("its __metadata__ holds '%s', not a string".formatted(pair.getKey()));
      }
      metadata.put(pair.getKey(), pair.getValue().textValue());
    }
  }

  private TensorInfo tensor(String name, JsonNode node) throws CheckpointException {
    String dtype = node.path("dtype").asText("");
    Integer elementBytes = ELEMENT_BYTES.get(dtype);
    if (elementBytes == null) {
      throw broken(
          name,
          "has the unknown dtype '%s'; known are %s"
              .formatted(dtype, ELEMENT_BYTES.keySet().stream().sorted().toList()));
    }
    List<Long> shape = integers(name, node.path("shape"), "shape");
    List<Long> offsets = integers(name, node.path("data_offsets"), "data_offsets");
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
      throw broken(name, "has data_offsets " + offsets + ", not [begin, end]");
    }
    if (offsets.get(1) > dataBytes) {
      throw broken(
          name,
          "ends at byte %d, but only %d bytes follow the header: the file is cut or lies"
              .formatted(offsets.get(1), dataBytes));
    }
    long needed = elementBytes;
    try {
      for (long size : shape) {
        needed = Math.multiplyExact(needed, size);
      }
    } catch (ArithmeticException e) {
      throw broken(name, "has the absurd shape " + shape);
    }
    long byteCount = offsets.get(1) - offsets.get(0);
    if (byteCount != needed) {
      throw broken(
          name,
          "has %d bytes, but shape %s of %s needs %d".formatted(byteCount, shape, dtype, needed));
    }
    return new TensorInfo(name, dtype, shape, offsets.get(0), byteCount);
  }

  private List<Long> integers(String name, JsonNode array, String field)
      throws CheckpointException {
    List<Long> values = new ArrayList<>();
    if (!array.isArray()) {
      throw broken(name, "has no " + field);
    }
    for (JsonNode item : array) {
      if (!item.isIntegralNumber() || !item.canConvertToLong() || item.longValue() < 0) {
        throw broken(name, "has %s %s".formatted(field, array));
      }
      values.add(item.longValue());
    }
    return values;
  }

  private CheckpointException broken(String what) {
    return new CheckpointException(file.toAbsolutePath() + ": " + what);
  }

  private CheckpointException broken(String tensor, String what) {
    return broken("tensor %s %s".formatted(tensor, what));
  }
}
