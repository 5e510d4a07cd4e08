package io.lensflow.steering.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.records.AuditEvent;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** Plans changes and folds what they write, in order, as the topics would bring it back. */
class ChangePlannerTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.000006Z");
  private static final VectorId ID = new VectorId("m", "v");
  private static final Origin ANN = Origin.http("ann");
  private static final List<Reference> NO_REFERENCES = List.of();

  private final TopicCatalogue topics = new TopicCatalogue("", 3, (short) 1);
  private final ChangePlanner planner = new ChangePlanner(topics, Clock.fixed(NOW, ZoneOffset.UTC));
  private final VectorBook book = new VectorBook();
  private final BookFold fold = new BookFold(book);

  @Test
  void shouldWriteSitesThenManifestThenLatestThenAuditWhenPublishing() {
    VectorDraft draft =
        Drafts.of(
            new SiteDraft("", 2, HookPoint.RESIDUAL_POST, new float[] {3, 4}),
            new SiteDraft("", 1, HookPoint.ATTENTION_INPUT, new float[] {0, 1}));
    Change change = planner.publish(book.find(ID), draft, ANN);

    assertThat(change.records())
        .extracting(ProducerRecord::topic, ProducerRecord::key, r -> header(r, "lf-type"))
        .containsExactly(
            row("steering-vectors", "m/v@1/RESIDUAL_POST/2", "SteeringVector.SITE"),
            row("steering-vectors", "m/v@1/ATTENTION_INPUT/1", "SteeringVector.SITE"),
            row("steering-vectors", "m/v@1", "SteeringVector.MANIFEST"),
            row("steering-aliases", "m/v/latest", "SteeringAlias"),
            row("audit", "m/v@1", "AuditEvent"));
    SteeringVector site = (SteeringVector) change.records().get(0).value();
    assertThat(site.getSite().getNorm()).isEqualTo(5);
    assertThat(Float32.decode(site.getSite().getValues())).containsExactly(3, 4);
    // CRC-32C of 00 00 40 40 00 00 80 40.
    assertThat(site.getSite().getCrc32c()).isEqualTo(crcOf(0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40));
    SteeringVector manifest = (SteeringVector) change.records().get(2).value();
    assertThat(manifest.getManifest().getHiddenSize()).isEqualTo(2);
    assertThat(manifest.getManifest().getSites())
        .extracting(ref -> ref.getLayer())
        .containsExactly(2, 1);
    assertThat(manifest.getCreatedAt()).isEqualTo(NOW);
    AuditEvent audit = (AuditEvent) change.records().get(4).value();
    assertThat(audit.getActor()).isEqualTo("ann");
    assertThat(audit.getDetails()).containsEntry("version", "1").containsEntry("sites", "2");
  }

  @Test
  void shouldCountVersionsFromOneWhenPublishingAgain() {
    assertThat(publish()).isEqualTo(1);
    assertThat(publish()).isEqualTo(2);
    assertThat(vector().versions()).containsOnlyKeys(1, 2);
    assertThat(vector().aliases()).containsExactly(java.util.Map.entry("latest", 2));
  }

  @Test
  void shouldNotGiveANumberAgainWhenItsVersionWasDeleted() {
    publish();
    publish();
    fold.write(planner.retire(vector(), 2, NO_REFERENCES, ANN));
    assertThat(vector().latest()).isEqualTo(1);
    assertThat(publish()).isEqualTo(3);
  }

  @Test
  void shouldRememberTheHighestNumberWhenAllIsDeletedAndCompactedAway() {
    publish();
    publish();
    Change deletion = planner.retireAll(vector(), NO_REFERENCES, null, ANN);
    // What a reader finds that starts after compaction: only the alias that is never removed.
    VectorBook compacted = new VectorBook();
    SteeringAlias latest =
        (SteeringAlias)
            deletion.records().stream()
                .filter(r -> r.topic().equals(topics.steeringAliases()))
                .findFirst()
                .orElseThrow()
                .value();
    compacted.apply(new VectorKey.Alias(ID.key(), "latest"), latest);

    NamedVector vector = compacted.find(ID);
    assertThat(latest.getVersion()).isZero();
    assertThat(vector.versions()).isEmpty();
    assertThat(vector.aliases()).isEmpty();
    assertThat(compacted.ofModel("m")).isEmpty();
    assertThat(planner.publish(vector, Drafts.expecting(0), ANN).versions()).containsExactly(3);
  }

  @Test
  void shouldTombstoneManifestThenSitesWhenDeleting() {
    publish();
    Change change = planner.retire(vector(), 1, NO_REFERENCES, ANN);
    assertThat(change.records())
        .extracting(ProducerRecord::key, r -> r.value() == null)
        .startsWith(row("m/v@1", true), row("m/v@1/RESIDUAL_POST/1", true));
    assertThat(header(change.records().get(0), LensflowHeaders.TYPE))
        .isEqualTo("SteeringVector.MANIFEST");
    assertThat(header(change.records().get(1), LensflowHeaders.MODEL)).isEqualTo("m");
  }

  @Test
  void shouldRefuseDeletionWhenAnAliasRefersToTheVersion() {
    publish();
    publish();
    fold.write(planner.setAlias(vector(), "production", 1, null, ANN));
    assertThat(refused(() -> planner.retire(vector(), 1, NO_REFERENCES, ANN)).code())
        .isEqualTo("VERSION_IN_USE");
    assertThat(refused(() -> planner.retireAll(vector(), NO_REFERENCES, null, ANN)))
        .hasMessageContaining("'production'");
    fold.write(planner.retire(vector(), 2, NO_REFERENCES, ANN));
    fold.write(planner.deleteAlias(vector(), "production", NO_REFERENCES, null, ANN));
    fold.write(planner.retire(vector(), 1, NO_REFERENCES, ANN));
    assertThat(refused(() -> vector().existing())).hasMessageContaining("deleted");
  }

  @Test
  void shouldRefuseDeletionWhenAPolicyRefersToTheVersionOrItsAlias() {
    publish();
    publish();
    fold.write(planner.setAlias(vector(), "production", 2, null, ANN));
    List<Reference> fixed = List.of(new Reference("policy 'calm'", 1, ""));
    List<Reference> aliased = List.of(new Reference("policy 'calm'", 0, "production"));
    List<Reference> latest = List.of(new Reference("policy 'calm'", 0, "latest"));

    RefusedException refused = refused(() -> planner.retire(vector(), 1, fixed, ANN));
    assertThat(refused.code()).isEqualTo("VERSION_IN_USE");
    assertThat(refused).hasMessageContaining("policy 'calm'").hasMessageContaining("version 1");
    assertThat(
            refused(() -> planner.deleteAlias(vector(), "production", aliased, null, ANN)).field())
        .isEqualTo("alias");
    fold.write(planner.retire(vector(), 1, latest, ANN));
    fold.write(planner.deleteAlias(vector(), "production", latest, null, ANN));
    assertThat(refused(() -> planner.retire(vector(), 2, latest, ANN)))
        .hasMessageContaining("no version would remain");
  }

  @Test
  void shouldPointAnAliasBackWhenRolledBack() {
    publish();
    publish();
    fold.write(planner.setAlias(vector(), "production", 1, null, ANN));
    assertThat(refused(() -> planner.rollbackAlias(vector(), "production", null, ANN)).code())
        .isEqualTo("NOTHING_TO_ROLL_BACK_TO");
    fold.write(planner.setAlias(vector(), "production", 2, null, ANN));
    fold.write(planner.rollbackAlias(vector(), "production", 2, ANN));
    assertThat(vector().alias("production")).isEqualTo(1);
    assertThat(vector().previousOf("production")).isEqualTo(2);
    assertThat(
            refused(() -> planner.rollbackAlias(vector(), "production", 2, ANN)).currentVersion())
        .isEqualTo(1);
  }

  @Test
  void shouldSayWhatIsCurrentWhenAnotherVersionWasExpected() {
    publish();
    RefusedException refused = refused(() -> planner.publish(vector(), Drafts.expecting(0), ANN));
    assertThat(refused.reason()).isEqualTo(RefusedException.Reason.CONFLICT);
    assertThat(refused.currentVersion()).isEqualTo(1);
    assertThat(planner.publish(vector(), Drafts.expecting(1), ANN).versions()).containsExactly(2);
    assertThat(refused(() -> planner.setAlias(vector(), "production", 1, 1, ANN)).currentVersion())
        .isZero();
    assertThat(planner.setAlias(vector(), "production", 1, 0, ANN).versions()).containsExactly(1);
  }

  @Test
  void shouldRefuseWhenWhatIsNamedIsNotThere() {
    publish();
    assertThat(refused(() -> planner.retire(vector(), 7, NO_REFERENCES, ANN)))
        .hasMessageContaining("version 7");
    assertThat(refused(() -> planner.setAlias(vector(), "production", 7, null, ANN)).reason())
        .isEqualTo(RefusedException.Reason.UNKNOWN);
    assertThat(
            refused(() -> planner.deleteAlias(vector(), "production", NO_REFERENCES, null, ANN))
                .field())
        .isEqualTo("alias");
  }

  @Test
  void shouldNameTheCommandInTheAuditEventWhenOneAsked() {
    Change change = planner.publish(vector(), Drafts.expecting(0), new Origin("bob", "command-1"));
    AuditEvent audit = (AuditEvent) change.records().get(3).value();
    assertThat(audit.getDetails()).containsEntry("commandId", "command-1");
  }

  private int publish() {
    Change change = planner.publish(vector(), Drafts.at(1, HookPoint.RESIDUAL_POST, 1, 0), ANN);
    fold.write(change);
    return change.versions().get(0);
  }

  private NamedVector vector() {
    return book.find(ID);
  }

  private static RefusedException refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable c) {
    return catchThrowableOfType(RefusedException.class, c);
  }

  private static org.assertj.core.groups.Tuple row(Object... values) {
    return org.assertj.core.groups.Tuple.tuple(values);
  }

  private static String header(ProducerRecord<?, ?> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  private static long crcOf(int... bytes) {
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    List.of(bytes)
        .forEach(
            array -> {
              for (int b : array) {
                crc.update(b);
              }
            });
    return crc.getValue();
  }
}
