package io.lensflow.steering.vector;

import io.lensflow.records.AuditEvent;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.text.spec.PositionSpec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
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
  private final TopicCatalogue topics;
  private final Clock clock;

  public ChangePlanner(TopicCatalogue topics, Clock clock) {
    this.topics = topics;
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
    List<ProducerRecord<String, SpecificRecord>> records = new ArrayList<>();
    List<VectorSiteRef> refs = new ArrayList<>();
    for (SiteDraft site : draft.sites()) {
      VectorSite record = site(site);
      refs.add(ref(record));
      SteeringVector value = value(id, version, now, VectorRecordType.SITE, record, null);
      records.add(record(id.siteKey(version, site.hookPoint(), site.layer()), value));
    }
    SteeringVector manifest =
        value(id, version, now, VectorRecordType.MANIFEST, null, manifest(draft, refs));
    records.add(record(id.manifestKey(version), manifest));
    records.add(alias(id, Names.LATEST, version, version, now));
    Map<String, String> details = new TreeMap<>();
    details.put("version", Integer.toString(version));
    details.put("sites", Integer.toString(refs.size()));
    records.add(audit("PUBLISH", id.manifestKey(version), id, now, origin, details));
    return new Change("PUBLISH", id, List.of(version), records);
  }

  /**
   * Deletes one version. {@code latest} falls back to the newest that remains.
   *
   * @throws RefusedException if it is not there, or another alias than {@code latest} refers to it
   */
  public Change retire(NamedVector vector, int version, Origin origin) {
    StoredVersion stored = vector.version(version);
    return retire(vector, List.of(stored), vector.id().manifestKey(version), origin);
  }

  /**
   * Deletes all versions of a name.
   *
   * @throws RefusedException if there is none, or another alias than {@code latest} refers to one
   */
  public Change retireAll(NamedVector vector, Origin origin) {
    return retire(vector, vector.existing().versions().values(), vector.id().key(), origin);
  }

  private Change retire(
      NamedVector vector, Collection<StoredVersion> doomed, String subject, Origin origin) {
    VectorId id = vector.id();
    Instant now = clock.instant();
    List<Integer> versions = doomed.stream().map(StoredVersion::version).toList();
    refuseReferred(vector, versions);
    List<ProducerRecord<String, SpecificRecord>> records = new ArrayList<>();
    for (StoredVersion version : doomed) {
      // The manifest first: a reader never sees a version that misses sites.
      records.add(
          tombstone(topics.steeringVectors(), id.manifestKey(version.version()), id.model()));
      for (StoredSite site : version.sites()) {
        String key = id.siteKey(version.version(), site.hookPoint(), site.layer());
        records.add(tombstone(topics.steeringVectors(), key, id.model()));
      }
    }
    TreeMap<Integer, StoredVersion> remaining = new TreeMap<>(vector.versions());
    remaining.keySet().removeAll(versions);
    int latest = remaining.isEmpty() ? 0 : remaining.lastKey();
    records.add(alias(id, Names.LATEST, latest, vector.highestVersion(), now));
    Map<String, String> details = new TreeMap<>();
    details.put("versions", versions.toString());
    details.put("latest", Integer.toString(latest));
    records.add(audit("RETIRE", subject, id, now, origin, details));
    return new Change("RETIRE", id, versions, records);
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
    Map<String, String> details = new TreeMap<>();
    details.put("version", Integer.toString(version));
    details.put("previous", Integer.toString(current));
    return new Change(
        "SET_ALIAS",
        id,
        List.of(version),
        List.of(
            alias(id, alias, version, 0, now),
            audit("SET_ALIAS", id.aliasKey(alias), id, now, origin, details)));
  }

  /**
   * Removes an alias.
   *
   * @throws RefusedException if it is not there
   */
  public Change deleteAlias(NamedVector vector, String alias, Origin origin) {
    Names.checkAlias(alias);
    Integer version = vector.existing().aliases().get(alias);
    VectorId id = vector.id();
    if (version == null) {
      throw RefusedException.unknown(
          "alias", "vector '%s' has no alias '%s'".formatted(id.name(), alias));
    }
    Map<String, String> details = new TreeMap<>(Map.of("previous", Integer.toString(version)));
    return new Change(
        "DELETE_ALIAS",
        id,
        List.of(version),
        List.of(
            tombstone(topics.steeringAliases(), id.aliasKey(alias), id.model()),
            audit("DELETE_ALIAS", id.aliasKey(alias), id, clock.instant(), origin, details)));
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

  private static VectorSite site(SiteDraft site) {
    ByteBuffer bytes = Float32.encode(site.values());
    return VectorSite.newBuilder()
        .setHookPoint(site.hookPoint())
        .setLayer(site.layer())
        .setValues(bytes)
        .setCrc32c(Float32.crc32c(bytes))
        .setNorm(Float32.norm(site.values()))
        .build();
  }

  private static VectorSiteRef ref(VectorSite site) {
    return VectorSiteRef.newBuilder()
        .setHookPoint(site.getHookPoint())
        .setLayer(site.getLayer())
        .setCrc32c(site.getCrc32c())
        .setNorm(site.getNorm())
        .build();
  }

  private static VectorManifest manifest(VectorDraft draft, List<VectorSiteRef> sites) {
    return VectorManifest.newBuilder()
        .setRevision(draft.revision())
        .setHiddenSize(draft.sites().get(0).values().length)
        .setSites(sites)
        .setOperation(draft.operation())
        .setPositions(PositionSpec.parse(draft.positions()).toString())
        .setPreserveNorm(draft.preserveNorm())
        .setMethod(draft.method())
        .setDataset(draft.dataset())
        .setDatasetHash(draft.datasetHash())
        .setPairCount(draft.pairCount())
        .setLabelShare(draft.labelShare())
        .setAuthor(draft.author())
        .setDescription(draft.description())
        .build();
  }

  private static SteeringVector value(
      VectorId id,
      int version,
      Instant now,
      VectorRecordType type,
      VectorSite site,
      VectorManifest manifest) {
    return SteeringVector.newBuilder()
        .setType(type)
        .setModel(id.model())
        .setName(id.name())
        .setVersion(version)
        .setCreatedAt(now)
        .setSite(site)
        .setManifest(manifest)
        .build();
  }

  private ProducerRecord<String, SpecificRecord> record(String key, SteeringVector value) {
    return LensflowHeaders.record(topics.steeringVectors(), key, value, null);
  }

  private ProducerRecord<String, SpecificRecord> alias(
      VectorId id, String alias, int version, int highest, Instant now) {
    SpecificRecord value =
        SteeringAlias.newBuilder()
            .setModel(id.model())
            .setName(id.name())
            .setAlias(alias)
            .setVersion(version)
            .setHighestVersion(highest)
            .setUpdatedAt(now)
            .build();
    return LensflowHeaders.record(topics.steeringAliases(), id.aliasKey(alias), value, null);
  }

  private ProducerRecord<String, SpecificRecord> audit(
      String action,
      String subject,
      VectorId id,
      Instant now,
      Origin origin,
      Map<String, String> details) {
    if (!origin.commandId().isEmpty()) {
      details.put(Origin.COMMAND_ID, origin.commandId());
    }
    SpecificRecord value =
        AuditEvent.newBuilder()
            .setEventId(Ids.newId())
            .setAt(now)
            .setActor(origin.actor())
            .setAction(action)
            .setSubject(subject)
            .setModel(id.model())
            .setDetails(details)
            .build();
    return LensflowHeaders.record(topics.audit(), subject, value, null);
  }

  private static ProducerRecord<String, SpecificRecord> tombstone(
      String topic, String key, String model) {
    ProducerRecord<String, SpecificRecord> record = new ProducerRecord<>(topic, key, null);
    record.headers().add(LensflowHeaders.MODEL, model.getBytes(StandardCharsets.UTF_8));
    return record;
  }
}
