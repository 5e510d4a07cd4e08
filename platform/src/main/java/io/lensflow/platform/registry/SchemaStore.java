package io.lensflow.platform.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParseException;
import org.apache.kafka.common.KafkaException;

/**
 * What the registry knows: a fold over its log, and nothing besides. A write is decided on what has
 * been read, appended, and read back; if another registry became the writer meanwhile, the append
 * fails and everything is decided anew. Thread-safe: one lock.
 */
final class SchemaStore implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WRITE_TRIES = 3;

  private final SchemaLog log;
  private final Map<String, List<SchemaVersion>> subjects = new TreeMap<>();
  private final Map<Integer, SchemaVersion> byId = new HashMap<>();
  private final Map<String, Integer> idOfText = new HashMap<>();
  private final Map<String, CompatibilityLevel> levels = new HashMap<>();
  private CompatibilityLevel globalLevel = CompatibilityLevel.BACKWARD;

  SchemaStore(SchemaLog log) {
    this.log = log;
    log.readNew(this::apply);
  }

  /** All subjects, sorted. */
  synchronized List<String> subjects() {
    log.readNew(this::apply);
    return List.copyOf(subjects.keySet());
  }

  /** A subject's versions, oldest first; empty if there is no such subject. */
  synchronized List<SchemaVersion> versions(String subject) {
    return found(() -> Optional.ofNullable(subjects.get(subject)))
        .<List<SchemaVersion>>map(List::copyOf)
        .orElse(List.of());
  }

  /** A schema by its id, under the first subject that has it. */
  synchronized Optional<SchemaVersion> byId(int id) {
    return found(() -> Optional.ofNullable(byId.get(id)));
  }

  /** Every subject and version that has a schema. */
  synchronized List<SchemaVersion> uses(int id) {
    return subjects.values().stream()
        .flatMap(List::stream)
        .filter(version -> version.id() == id)
        .toList();
  }

  /** The version of a subject that has this schema. */
  synchronized Optional<SchemaVersion> lookUp(String subject, Schema schema) {
    String text = schema.toString();
    return found(
        () ->
            subjects.getOrDefault(subject, List.of()).stream()
                .filter(version -> version.schema().equals(text))
                .findFirst());
  }

  /** The level chosen for a subject itself. */
  synchronized Optional<CompatibilityLevel> level(String subject) {
    return found(() -> Optional.ofNullable(levels.get(subject)));
  }

  /** The level that holds where a subject has none of its own. */
  synchronized CompatibilityLevel globalLevel() {
    return globalLevel;
  }

  /** The level that holds for a subject. */
  synchronized CompatibilityLevel effectiveLevel(String subject) {
    return level(subject).orElse(globalLevel);
  }

  /** Sets the level of a subject, or with null the global one. */
  synchronized void setLevel(String subject, CompatibilityLevel level) {
    ObjectNode key = JSON.createObjectNode();
    key.put("keytype", "CONFIG").put("subject", subject).put("magic", 0);
    ObjectNode value = JSON.createObjectNode().put("compatibilityLevel", level.name());
    write(() -> append(key, value));
  }

  /**
   * Registers a schema, or finds that it is registered.
   *
   * @throws RegistryError if it is incompatible
   */
  synchronized int register(String subject, Schema schema) {
    Optional<SchemaVersion> known = lookUp(subject, schema);
    if (known.isEmpty()) {
      write(() -> appendVersion(subject, schema));
    }
    return lookUp(subject, schema).orElseThrow().id();
  }

  @Override
  public synchronized void close() {
    log.close();
  }

  private void appendVersion(String subject, Schema schema) {
    List<SchemaVersion> versions = subjects.getOrDefault(subject, List.of());
    String text = schema.toString();
    if (versions.stream().anyMatch(version -> version.schema().equals(text))) {
      // Another registry was faster; it came to light when this one became the writer.
      return;
    }
    List<String> problems = levels.getOrDefault(subject, globalLevel).problems(schema, versions);
    if (!problems.isEmpty()) {
      throw RegistryError.incompatible(subject, problems);
    }
    int version = versions.isEmpty() ? 1 : versions.get(versions.size() - 1).version() + 1;
    int newId = byId.keySet().stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
    int id = idOfText.getOrDefault(text, newId);
    ObjectNode key = JSON.createObjectNode();
    key.put("keytype", "SCHEMA").put("subject", subject).put("version", version).put("magic", 1);
    ObjectNode value = JSON.createObjectNode();
    value.put("subject", subject).put("version", version).put("id", id);
    value.put("schema", text).put("deleted", false);
    append(key, value);
  }

  private void append(ObjectNode key, ObjectNode value) {
    log.readTo(log.append(key, value) + 1, this::apply);
  }

  /** Runs {@code decision}, which appends to the log, on all that was written before. */
  private void write(Runnable decision) {
    for (int tried = 1; ; tried++) {
      try {
        if (!log.isWriter()) {
          log.becomeWriter();
          log.readNew(this::apply);
        }
        decision.run();
        return;
      } catch (KafkaException e) {
        if (tried == WRITE_TRIES) {
          throw RegistryError.storeFailed(e.toString());
        }
      }
    }
  }

  /** What is not known may have been written by another registry since the log was last read. */
  private <T> Optional<T> found(Supplier<Optional<T>> search) {
    Optional<T> result = search.get();
    if (result.isPresent()) {
      return result;
    }
    log.readNew(this::apply);
    return search.get();
  }

  private void apply(JsonNode key, JsonNode value) {
    String type = key.path("keytype").asText();
    String subject = key.path("subject").asText(null);
    if (type.equals("SCHEMA") && value != null) {
      applySchema(subject, value);
    } else if (type.equals("CONFIG") && value != null) {
      CompatibilityLevel level =
          CompatibilityLevel.valueOf(value.path("compatibilityLevel").asText());
      if (subject == null) {
        globalLevel = level;
      } else {
        levels.put(subject, level);
      }
    }
  }

  private void applySchema(String subject, JsonNode value) {
    String text = value.path("schema").asText();
    Schema parsed;
    try {
      parsed = new Schema.Parser().parse(text);
    } catch (SchemaParseException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    int number = value.path("version").intValue();
    SchemaVersion version =
        new SchemaVersion(subject, number, value.path("id").intValue(), text, parsed);
    List<SchemaVersion> versions = subjects.computeIfAbsent(subject, s -> new ArrayList<>());
    // Compaction may leave an old copy before a newer one of the same version.
    versions.removeIf(older -> older.version() == number);
    versions.add(version);
    byId.putIfAbsent(version.id(), version);
    idOfText.putIfAbsent(text, version.id());
  }
}
