package io.lensflow.steering.vector;

import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSiteRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the steering topics say, record by record: the fold of {@code steering-vectors} and {@code
 * steering-aliases}. A version counts from when its manifest and all its sites are there, so that a
 * reader of several partitions never shows half of one.
 *
 * <p>The highest number ever given survives the deletion of every version, because {@code latest}
 * carries it and is never removed; keys seen are counted beside it, undecodable values included.
 *
 * <p>Thread-safe: one thread feeds it, any may read.
 */
public final class VectorBook {
  private final Map<String, Entry> entries = new TreeMap<>();

  /** All that is known under one {@code M/name}. */
  private static final class Entry {
    /** Served name of the model, which a key does not tell; null until a value told. */
    String model;

    int highest;
    final Map<Integer, Parts> parts = new HashMap<>();

    /** Those of {@link #parts} that are whole; made anew one by one, there may be thousands. */
    final NavigableMap<Integer, StoredVersion> versions = new TreeMap<>();

    final Map<String, Integer> aliases = new TreeMap<>();
    final Map<String, Integer> previous = new TreeMap<>();

    /** All of this, until something changes; null then. */
    NamedVector picture;
  }

  /** Parts of a version, in whatever order they come. */
  private static final class Parts {
    Instant createdAt;
    VectorManifest manifest;
    final Map<String, StoredSite> sites = new HashMap<>();

    boolean isEmpty() {
      return manifest == null && sites.isEmpty();
    }

    /** The version, if all of it is there. */
    Optional<StoredVersion> whole(int version) {
      if (manifest == null) {
        return Optional.empty();
      }
      List<StoredSite> ordered = new ArrayList<>();
      for (VectorSiteRef ref : manifest.getSites()) {
        StoredSite site = sites.get(ref.getHookPoint() + "/" + ref.getLayer());
        if (site == null || site.crc32c() != ref.getCrc32c()) {
          return Optional.empty();
        }
        ordered.add(site);
      }
      return Optional.of(new StoredVersion(version, createdAt, manifest, ordered));
    }
  }

  /**
   * Takes a record of {@code steering-vectors}.
   *
   * @param value null for a tombstone
   */
  public synchronized void apply(VectorKey key, SteeringVector value, int partition, long offset) {
    Entry entry = entries.computeIfAbsent(key.vector(), k -> new Entry());
    if (value != null) {
      entry.model = value.getModel();
    }
    if (key instanceof VectorKey.Manifest manifest) {
      Parts parts = parts(entry, manifest.version());
      boolean set = value != null && value.getType() == VectorRecordType.MANIFEST;
      parts.manifest = set ? value.getManifest() : null;
      parts.createdAt = set ? value.getCreatedAt() : null;
      settle(entry, manifest.version());
    } else if (key instanceof VectorKey.Site site) {
      Parts parts = parts(entry, site.version());
      if (value != null && value.getType() == VectorRecordType.SITE) {
        var record = value.getSite();
        parts.sites.put(
            site.place(),
            new StoredSite(
                record.getLayer(),
                record.getHookPoint(),
                record.getNorm(),
                record.getCrc32c(),
                partition,
                offset));
      } else {
        parts.sites.remove(site.place());
      }
      settle(entry, site.version());
    }
  }

  /**
   * Takes a record of {@code steering-aliases}.
   *
   * @param value null for a tombstone
   */
  public synchronized void apply(VectorKey.Alias key, SteeringAlias value) {
    Entry entry = entries.computeIfAbsent(key.vector(), k -> new Entry());
    entry.picture = null;
    if (value == null) {
      entry.aliases.remove(key.alias());
      entry.previous.remove(key.alias());
      return;
    }
    entry.model = value.getModel();
    entry.highest =
        Math.max(entry.highest, Math.max(value.getHighestVersion(), value.getVersion()));
    entry.previous.put(key.alias(), value.getPreviousVersion());
    if (value.getVersion() > 0) {
      entry.aliases.put(key.alias(), value.getVersion());
    } else {
      entry.aliases.remove(key.alias());
    }
  }

  /** What is known of a name; {@link NamedVector#absent} if nothing is. */
  public synchronized NamedVector find(VectorId id) {
    Entry entry = entries.get(id.key());
    return entry == null ? NamedVector.absent(id) : picture(id, entry);
  }

  /** The model whose records already stand under the keys of {@code id}; empty if none do. */
  public synchronized Optional<String> modelOf(VectorId id) {
    return Optional.ofNullable(entries.get(id.key())).map(entry -> entry.model);
  }

  /** All vectors of a model that have a version, by name. */
  public synchronized List<NamedVector> ofModel(String model) {
    List<NamedVector> vectors = new ArrayList<>();
    entries.forEach(
        (key, entry) -> {
          if (model.equals(entry.model)) {
            NamedVector vector = picture(new VectorId(model, nameOf(key)), entry);
            if (!vector.versions().isEmpty()) {
              vectors.add(vector);
            }
          }
        });
    return vectors;
  }

  /** Served names of all models that ever had a vector. */
  public synchronized List<String> models() {
    return entries.values().stream()
        .map(entry -> entry.model)
        .filter(model -> model != null)
        .distinct()
        .sorted()
        .toList();
  }

  /** How many versions can be used, over all names. */
  public synchronized long versionCount() {
    return entries.values().stream().mapToLong(entry -> entry.versions.size()).sum();
  }

  private static Parts parts(Entry entry, int version) {
    entry.highest = Math.max(entry.highest, version);
    return entry.parts.computeIfAbsent(version, v -> new Parts());
  }

  /** Draws the consequences of a change of one version's parts. */
  private static void settle(Entry entry, int version) {
    entry.picture = null;
    Parts parts = entry.parts.get(version);
    parts
        .whole(version)
        .ifPresentOrElse(
            whole -> entry.versions.put(version, whole), () -> entry.versions.remove(version));
    if (parts.isEmpty()) {
      entry.parts.remove(version);
    }
  }

  private static NamedVector picture(VectorId id, Entry entry) {
    if (entry.picture == null) {
      entry.picture =
          new NamedVector(
              id,
              Collections.unmodifiableNavigableMap(new TreeMap<>(entry.versions)),
              Map.copyOf(entry.aliases),
              Map.copyOf(entry.previous),
              entry.highest);
    }
    return entry.picture;
  }

  private static String nameOf(String key) {
    return key.substring(key.indexOf('/') + 1);
  }
}
