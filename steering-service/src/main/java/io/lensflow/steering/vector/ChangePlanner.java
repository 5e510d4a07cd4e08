package io.lensflow.steering.vector;

import io.lensflow.records.VectorSite;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Decides what a change writes, given what is there. Pure: the caller sees to it that what is there
 * is up to date, and that nobody else writes meanwhile. Immutable and thread-safe.
 */
public final class ChangePlanner {
  private final SteeringRecords records;
  private final Clock clock;

  public ChangePlanner(TopicCatalogue topics, Clock clock) {
    this.records = new SteeringRecords(topics);
    this.clock = clock;
  }

  /**
   * A new version: its sites, its manifest after them, {@code latest}, the audit event. The number
   * is one above the highest ever given.
   *
   * @param draft already checked by {@link DraftCheck}
   * @throws RefusedException if {@code expectedVersion} is not what is current
   */
  public Change publish(NamedVector vector, VectorDraft draft, Origin origin) {
    expect(draft.expectedVersion(), vector.latest());
    VectorId id = vector.id();
    int version = vector.highestVersion() + 1;
    Instant now = clock.instant();
    List<VectorSite> sites = draft.sites().stream().map(SteeringRecords::encode).toList();
    List<ProducerRecord<String, SpecificRecord>> written = new ArrayList<>();
    sites.forEach(site -> written.add(records.site(id, version, now, site)));
    written.add(records.manifest(id, version, now, draft, sites));
    written.add(records.alias(id, Names.LATEST, version, version, vector.latest(), now));
    Map<String, String> details = new HashMap<>();
    details.put("version", Integer.toString(version));
    details.put("sites", Integer.toString(sites.size()));
    if (!draft.sources().isEmpty()) {
      details.put("sources", String.join(", ", draft.sources()));
    }
    written.add(
        records.audit("PUBLISH", id.manifestKey(version), id.model(), now, origin, details));
    return new Change("PUBLISH", id, List.of(version), written);
  }

  /**
   * Deletes one version. {@code latest} falls back to the newest that remains.
   *
   * @param references what refers to the vector from elsewhere
   * @throws RefusedException if it is not there, or a reference or another alias than {@code
   *     latest} means it
   */
  public Change retire(NamedVector vector, int version, List<Reference> references, Origin origin) {
    StoredVersion stored = vector.version(version);
    String subject = vector.id().manifestKey(version);
    return retire(vector, List.of(stored), references, subject, origin);
  }

  /**
   * Deletes all versions of a name.
   *
   * @param references what refers to the vector from elsewhere
   * @param expected version that must be {@code latest}; null does not ask
   * @throws RefusedException if there is none, or a reference or another alias than {@code latest}
   *     means one, or {@code expected} is not current
   */
  public Change retireAll(
      NamedVector vector, List<Reference> references, Integer expected, Origin origin) {
    Collection<StoredVersion> all = vector.existing().versions().values();
    expect(expected, vector.latest());
    return retire(vector, all, references, vector.id().key(), origin);
  }

  private Change retire(
      NamedVector vector,
      Collection<StoredVersion> doomed,
      List<Reference> references,
      String subject,
      Origin origin) {
    VectorId id = vector.id();
    Instant now = clock.instant();
    List<Integer> versions = doomed.stream().map(StoredVersion::version).toList();
    refuseReferred(vector, versions);
    references.forEach(reference -> reference.refuseRetirement(vector, versions));
    List<ProducerRecord<String, SpecificRecord>> written = new ArrayList<>();
    for (StoredVersion version : doomed) {
      // The manifest first: a reader never sees a version that misses sites.
      written.add(records.noManifest(id, version.version()));
      version.sites().forEach(site -> written.add(records.noSite(id, version.version(), site)));
    }
    TreeMap<Integer, StoredVersion> remaining = new TreeMap<>(vector.versions());
    remaining.keySet().removeAll(versions);
    int latest = remaining.isEmpty() ? 0 : remaining.lastKey();
    written.add(records.alias(id, Names.LATEST, latest, vector.highestVersion(), 0, now));
    Map<String, String> details =
        Map.of("versions", versions.toString(), "latest", Integer.toString(latest));
    written.add(records.audit("RETIRE", subject, id.model(), now, origin, details));
    return new Change("RETIRE", id, versions, written);
  }

  /**
   * Points an alias at a version.
   *
   * @param expected version that the alias must stand for now, 0 for none; null does not ask
   * @throws RefusedException if the version is not there, or {@code expected} is not current
   */
  public Change setAlias(
      NamedVector vector, String alias, int version, Integer expected, Origin origin) {
    Names.checkAlias(alias);
    vector.existing().version(version);
    int current = vector.aliases().getOrDefault(alias, 0);
    expect(expected, current);
    VectorId id = vector.id();
    Instant now = clock.instant();
    Map<String, String> details =
        Map.of("version", Integer.toString(version), "previous", Integer.toString(current));
    return new Change(
        "SET_ALIAS",
        id,
        List.of(version),
        List.of(
            records.alias(id, alias, version, 0, current, now),
            records.audit("SET_ALIAS", id.aliasKey(alias), id.model(), now, origin, details)));
  }

  /**
   * Points an alias back at the version that it stood for before.
   *
   * @param expected version that the alias must stand for now; null does not ask
   * @throws RefusedException if it is not there, stood for nothing before, or that is deleted
   */
  public Change rollbackAlias(NamedVector vector, String alias, Integer expected, Origin origin) {
    vector.alias(alias);
    int previous = vector.previousOf(alias);
    if (previous == 0 || !vector.versions().containsKey(previous)) {
      throw RefusedException.conflict(
          "NOTHING_TO_ROLL_BACK_TO",
          "to",
          (previous == 0
                  ? "alias '%s' stood for nothing before; say to which version"
                  : "alias '%s' stood for version %d before, which is deleted; say to which version")
              .formatted(alias, previous));
    }
    return setAlias(vector, alias, previous, expected, origin);
  }

  /**
   * Removes an alias.
   *
   * @param references what refers to the vector from elsewhere
   * @param expected version that the alias must stand for now; null does not ask
   * @throws RefusedException if it is not there, a reference means it, or {@code expected} is not
   *     current
   */
  public Change deleteAlias(
      NamedVector vector,
      String alias,
      List<Reference> references,
      Integer expected,
      Origin origin) {
    Names.checkAlias(alias);
    int version = vector.existing().alias(alias);
    expect(expected, version);
    VectorId id = vector.id();
    references.forEach(reference -> reference.refuseRemoval(alias));
    Map<String, String> details = Map.of("previous", Integer.toString(version));
    return new Change(
        "DELETE_ALIAS",
        id,
        List.of(version),
        List.of(
            records.noAlias(id, alias),
            records.audit(
                "DELETE_ALIAS", id.aliasKey(alias), id.model(), clock.instant(), origin, details)));
  }

  private static void expect(Integer expected, int current) {
    if (expected != null && expected != current) {
      throw RefusedException.outdated(expected, current);
    }
  }

  private static void refuseReferred(NamedVector vector, List<Integer> versions) {
    new TreeMap<>(vector.aliases())
        .forEach(
            (alias, version) -> {
              if (!alias.equals(Names.LATEST) && versions.contains(version)) {
                throw RefusedException.conflict(
                    "VERSION_IN_USE",
                    "version",
                    "alias '%s' refers to version %d; point it elsewhere or delete it first"
                        .formatted(alias, version));
              }
            });
  }
}
