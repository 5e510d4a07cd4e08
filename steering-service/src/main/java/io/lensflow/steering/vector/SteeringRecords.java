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
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Makes the records that changes write, with their keys and headers. Immutable and thread-safe. */
public final class SteeringRecords {
  private final TopicCatalogue topics;

  /** Over the topics of a deployment. */
  public SteeringRecords(TopicCatalogue topics) {
    this.topics = topics;
  }

  /** A site as a record's section: encoded, with checksum and norm. */
  static VectorSite encode(SiteDraft site) {
    ByteBuffer bytes = Float32.encode(site.values());
    return VectorSite.newBuilder()
        .setHookPoint(site.hookPoint())
        .setLayer(site.layer())
        .setValues(bytes)
        .setCrc32c(Float32.crc32c(bytes))
        .setNorm(Float32.norm(site.values()))
        .build();
  }

  /** The record of a site. */
  ProducerRecord<String, SpecificRecord> site(
      VectorId id, int version, Instant now, VectorSite site) {
    SpecificRecord value =
        vector(id, version, now).setType(VectorRecordType.SITE).setSite(site).build();
    String key = id.siteKey(version, site.getHookPoint(), site.getLayer());
    return LensflowHeaders.record(topics.steeringVectors(), key, value, null);
  }

  /** The record that describes a version. */
  ProducerRecord<String, SpecificRecord> manifest(
      VectorId id, int version, Instant now, VectorDraft draft, List<VectorSite> sites) {
    SpecificRecord value =
        vector(id, version, now)
            .setType(VectorRecordType.MANIFEST)
            .setManifest(describe(draft, sites))
            .build();
    return LensflowHeaders.record(topics.steeringVectors(), id.manifestKey(version), value, null);
  }

  private static SteeringVector.Builder vector(VectorId id, int version, Instant now) {
    return SteeringVector.newBuilder()
        .setModel(id.model())
        .setName(id.name())
        .setVersion(version)
        .setCreatedAt(now);
  }

  private static VectorManifest describe(VectorDraft draft, List<VectorSite> sites) {
    Provenance provenance = draft.provenance();
    return VectorManifest.newBuilder()
        .setRevision(draft.revision())
        .setHiddenSize(draft.sites().get(0).values().length)
        .setSites(sites.stream().map(SteeringRecords::ref).toList())
        .setOperation(draft.operation())
        .setPositions(PositionSpec.parse(draft.positions()).toString())
        .setPreserveNorm(draft.preserveNorm())
        .setMethod(provenance.method())
        .setDataset(provenance.dataset())
        .setDatasetHash(provenance.datasetHash())
        .setPairCount(provenance.pairCount())
        .setItems(provenance.items())
        .setChosenBy(provenance.chosenBy())
        .setBalance(provenance.balance())
        .setLabelShare(provenance.labelShare())
        .setAuthor(draft.author())
        .setDescription(draft.description())
        .setSources(draft.sources())
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

  /**
   * An alias.
   *
   * @param version what it stands for, 0 for none
   * @param highest on {@code latest} the highest version ever given, else 0
   * @param previous what it stood for before, 0 for none
   */
  ProducerRecord<String, SpecificRecord> alias(
      VectorId id, String alias, int version, int highest, int previous, Instant now) {
    SpecificRecord value =
        SteeringAlias.newBuilder()
            .setModel(id.model())
            .setName(id.name())
            .setAlias(alias)
            .setVersion(version)
            .setHighestVersion(highest)
            .setPreviousVersion(previous)
            .setUpdatedAt(now)
            .build();
    return LensflowHeaders.record(topics.steeringAliases(), id.aliasKey(alias), value, null);
  }

  /** Who changed what. */
  public ProducerRecord<String, SpecificRecord> audit(
      String action,
      String subject,
      String model,
      Instant now,
      Origin origin,
      Map<String, String> details) {
    Map<String, String> all = new TreeMap<>(details);
    if (!origin.commandId().isEmpty()) {
      all.put(Origin.COMMAND_ID, origin.commandId());
    }
    SpecificRecord value =
        AuditEvent.newBuilder()
            .setEventId(Ids.newId())
            .setAt(now)
            .setActor(origin.actor())
            .setAction(action)
            .setSubject(subject)
            .setModel(model)
            .setDetails(all)
            .build();
    return LensflowHeaders.record(topics.audit(), subject, value, null);
  }

  /** Removes a manifest. */
  ProducerRecord<String, SpecificRecord> noManifest(VectorId id, int version) {
    return tombstone(
        topics.steeringVectors(), id.manifestKey(version), "SteeringVector.MANIFEST", id);
  }

  /** Removes a site. */
  ProducerRecord<String, SpecificRecord> noSite(VectorId id, int version, StoredSite site) {
    String key = id.siteKey(version, site.hookPoint(), site.layer());
    return tombstone(topics.steeringVectors(), key, "SteeringVector.SITE", id);
  }

  /** Removes an alias. */
  ProducerRecord<String, SpecificRecord> noAlias(VectorId id, String alias) {
    return tombstone(topics.steeringAliases(), id.aliasKey(alias), "SteeringAlias", id);
  }

  /** With the headers of what it removes: who filters by them sees that it went. */
  private static ProducerRecord<String, SpecificRecord> tombstone(
      String topic, String key, String type, VectorId id) {
    ProducerRecord<String, SpecificRecord> record = new ProducerRecord<>(topic, key, null);
    record
        .headers()
        .add(LensflowHeaders.TYPE, type.getBytes(StandardCharsets.UTF_8))
        .add(LensflowHeaders.MODEL, id.model().getBytes(StandardCharsets.UTF_8));
    return record;
  }
}
