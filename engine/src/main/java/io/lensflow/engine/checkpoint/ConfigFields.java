package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;

/**
 * Typed access to a configuration's fields. A field that is null counts as absent; a wrong one is
 * an error that names file and field.
 */
final class ConfigFields {
  private final Path file;
  private final ObjectNode fields;

  /** Where the fields lie: empty, or a field's name and a dot. */
  private final String prefix;

  private ConfigFields(Path file, ObjectNode fields, String prefix) {
    this.file = file;
    this.fields = fields;
    this.prefix = prefix;
  }

  static ConfigFields read(Path file) throws CheckpointException {
    return new ConfigFields(file, JsonFile.read(file), "");
  }

  /** Whether the field is there and not null. */
  boolean has(String field) {
    return fields.hasNonNull(field);
  }

  /** Whether the field is there and null, which is not the same as absent to transformers. */
  boolean isNull(String field) {
    return fields.path(field).isNull();
  }

  /** The field as it stands; a missing node if absent. */
  JsonNode node(String field) {
    return fields.path(field);
  }

  /** An object's own fields; null if absent or empty. */
  ConfigFields object(String field) throws CheckpointException {
    JsonNode node = fields.path(field);
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (!(node instanceof ObjectNode object)) {
      throw wrong(field, "an object");
    }
    return object.isEmpty() ? null : new ConfigFields(file, object, prefix + field + ".");
  }

  /** The name of a field whose value is an object itself; null if none is. */
  String nestedObject() {
    return fields.properties().stream()
        .filter(entry -> entry.getValue().isObject())
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  String text(String field, String fallback) throws CheckpointException {
    if (!has(field)) {
      return fallback;
    }
    if (!fields.get(field).isTextual()) {
      throw wrong(field, "a string");
    }
    return fields.get(field).textValue();
  }

  boolean flag(String field, boolean fallback) throws CheckpointException {
    if (!has(field)) {
      return fallback;
    }
    if (!fields.get(field).isBoolean()) {
      throw wrong(field, "true or false");
    }
    return fields.get(field).booleanValue();
  }

  int positive(String field) throws CheckpointException {
    JsonNode node = fields.path(field);
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
      throw wrong(field, "a positive integer");
    }
    return node.intValue();
  }

  int positive(String field, int fallback) throws CheckpointException {
    return has(field) ? positive(field) : fallback;
  }

  double positiveNumber(String field) throws CheckpointException {
    JsonNode node = fields.path(field);
    if (!node.isNumber() || !(node.doubleValue() > 0) || Double.isInfinite(node.doubleValue())) {
      throw wrong(field, "a positive number");
    }
    return node.doubleValue();
  }

  double positiveNumber(String field, double fallback) throws CheckpointException {
    return has(field) ? positiveNumber(field) : fallback;
  }

  CheckpointException wrong(String field, String wanted) {
    JsonNode node = fields.path(field);
    return broken(
        "%s%s is %s; it must be %s"
            .formatted(prefix, field, node.isMissingNode() ? "absent" : node, wanted));
  }

  CheckpointException broken(String what) {
    return new CheckpointException(file.toAbsolutePath() + ": " + what);
  }

  /** A legal value that this engine does not compute. */
  CheckpointException refused(String field, Object value, Object supported) {
    return broken("%s '%s' is not supported; supported: %s".formatted(field, value, supported));
  }
}
