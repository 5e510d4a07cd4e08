package io.lensflow.platform.registry;

import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.Incompatibility;

/** Which versions of a subject a new one must get on with, and in which direction. */
enum CompatibilityLevel {
  /** Anything goes. */
  NONE(false, false, false),
  /** The new schema reads the latest version's records. */
  BACKWARD(true, false, false),
  /** The new schema reads every version's records. */
  BACKWARD_TRANSITIVE(true, false, true),
  /** The latest version reads the new schema's records. */
  FORWARD(false, true, false),
  /** Every version reads the new schema's records. */
  FORWARD_TRANSITIVE(false, true, true),
  /** Both ways with the latest version. */
  FULL(true, true, false),
  /** Both ways with every version. */
  FULL_TRANSITIVE(true, true, true);

  private final boolean readsOlder;
  private final boolean readByOlder;
  private final boolean transitive;

  CompatibilityLevel(boolean readsOlder, boolean readByOlder, boolean transitive) {
    this.readsOlder = readsOlder;
    this.readByOlder = readByOlder;
    this.transitive = transitive;
  }

  /**
   * What is wrong with a new schema, one sentence each; empty if it is compatible.
   *
   * @param versions the subject's versions, oldest first
   */
  List<String> problems(Schema candidate, List<SchemaVersion> versions) {
    int from = transitive ? 0 : Math.max(0, versions.size() - 1);
    List<String> problems = new ArrayList<>();
    for (SchemaVersion version : versions.subList(from, versions.size())) {
      problems.addAll(problemsWith(candidate, version));
    }
    return problems;
  }

  /** As {@link #problems}, with one version only. */
  List<String> problemsWith(Schema candidate, SchemaVersion version) {
    Schema older = version.parsed();
    List<String> problems = new ArrayList<>();
    if (readsOlder) {
      for (Incompatibility found : compare(candidate, older)) {
        problems.add(sentence("the new schema cannot read version", version, found));
      }
    }
    if (readByOlder) {
      for (Incompatibility found : compare(older, candidate)) {
        problems.add(sentence("the new schema cannot be read by version", version, found));
      }
    }
    return problems;
  }

  private static List<Incompatibility> compare(Schema reader, Schema writer) {
    return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
        .getResult()
        .getIncompatibilities();
  }

  private static String sentence(String what, SchemaVersion version, Incompatibility found) {
    return "%s %d: %s at %s: %s"
        .formatted(
            what, version.version(), found.getType(), found.getLocation(), found.getMessage());
  }
}
