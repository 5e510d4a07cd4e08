package io.lensflow.steering.vector;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Everything that the topics say of one name: an immutable picture of one moment.
 *
 * @param id model and name
 * @param versions the versions that can be used, by number
 * @param aliases aliases to versions; {@code latest} among them while there is a version
 * @param previous per alias the version that it stood for before
 * @param highestVersion the highest number ever given, 0 for none; never given again, even when the
 *     version is deleted
 */
public record NamedVector(
    VectorId id,
    NavigableMap<Integer, StoredVersion> versions,
    Map<String, Integer> aliases,
    Map<String, Integer> previous,
    int highestVersion) {
  /** A name that nothing was ever published under. */
  public static NamedVector absent(VectorId id) {
    return new NamedVector(id, new TreeMap<>(), Map.of(), Map.of(), 0);
  }

  /** The newest version that is there, 0 for none. */
  public int latest() {
    return versions.isEmpty() ? 0 : versions.lastKey();
  }

  /**
   * A version that is there.
   *
   * @throws RefusedException if it is not
   */
  public StoredVersion version(int version) {
    StoredVersion stored = versions.get(version);
    if (stored == null) {
      throw RefusedException.unknown(
          "version",
          "vector '%s' of model '%s' has no version %d; it has %s"
              .formatted(
                  id.name(), id.model(), version, versions.isEmpty() ? "none" : versions.keySet()));
    }
    return stored;
  }

  /**
   * What an alias stands for.
   *
   * @throws RefusedException if it is not there
   */
  public int alias(String alias) {
    Integer version = aliases.get(alias);
    if (version == null) {
      throw RefusedException.unknown(
          "alias",
          "vector '%s' of model '%s' has no alias '%s'; it has %s"
              .formatted(id.name(), id.model(), alias, new TreeMap<>(aliases)));
    }
    return version;
  }

  /** What an alias stood for before, 0 for nothing. */
  public int previousOf(String alias) {
    return previous.getOrDefault(alias, 0);
  }

  /**
   * This, if it has a version.
   *
   * @throws RefusedException if it has none
   */
  public NamedVector existing() {
    if (versions.isEmpty()) {
      throw RefusedException.unknown(
          "name",
          highestVersion == 0
              ? "model '%s' has no vector '%s'".formatted(id.model(), id.name())
              : "all versions of vector '%s' of model '%s' are deleted"
                  .formatted(id.name(), id.model()));
    }
    return this;
  }
}
