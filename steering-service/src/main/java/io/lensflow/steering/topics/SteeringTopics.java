package io.lensflow.steering.topics;

import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringJob;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.policy.PolicyBook;
import io.lensflow.steering.policy.PolicyId;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorKey;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds records of {@code steering-vectors} and {@code steering-aliases} into a {@link VectorBook},
 * those of {@code steering-policies} into a {@link PolicyBook}, those of {@code steering-jobs} into
 * a {@link JobBook}. What cannot be read is logged and counts as deleted, but its version number
 * stays taken. Used by the tail's thread only.
 */
public final class SteeringTopics {
  private static final Logger log = LoggerFactory.getLogger(SteeringTopics.class);

  private final VectorBook book;
  private final RecordDeserializer<SteeringVector> vectors;
  private final RecordDeserializer<SteeringAlias> aliases;
  private final PolicyBook policyBook;
  private final RecordDeserializer<SteeringPolicy> policies;
  private final JobBook jobBook;
  private final RecordDeserializer<SteeringJob> jobs;

  /** Feeds what the caller keeps. */
  public SteeringTopics(
      KafkaClients clients, VectorBook book, PolicyBook policyBook, JobBook jobBook) {
    this.book = book;
    this.policyBook = policyBook;
    this.jobBook = jobBook;
    this.jobs = clients.deserializer(SteeringJob.class);
    this.policies = clients.deserializer(SteeringPolicy.class);
    this.vectors = clients.deserializer(SteeringVector.class);
    this.aliases = clients.deserializer(SteeringAlias.class);
  }

  /** Takes a record of {@code steering-vectors}. */
  public void takeVector(ConsumerRecord<byte[], byte[]> record) {
    Optional<VectorKey> key = keyOf(record).flatMap(VectorKey::ofVectorRecord);
    if (key.isEmpty()) {
      skip(record, "its key is not M/name@version or M/name@version/HOOK_POINT/layer");
      return;
    }
    book.apply(key.get(), decode(vectors, record), record.partition(), record.offset());
  }

  /** Takes a record of {@code steering-aliases}. */
  public void takeAlias(ConsumerRecord<byte[], byte[]> record) {
    Optional<VectorKey.Alias> key = keyOf(record).flatMap(VectorKey::ofAliasRecord);
    if (key.isEmpty()) {
      skip(record, "its key is not M/name/alias");
      return;
    }
    book.apply(key.get(), decode(aliases, record));
  }

  /** Takes a record of {@code steering-policies}. */
  public void takePolicy(ConsumerRecord<byte[], byte[]> record) {
    Optional<String> key = keyOf(record).filter(PolicyId::isKey);
    if (key.isEmpty()) {
      skip(record, "its key is not M/policy");
      return;
    }
    policyBook.apply(key.get(), decode(policies, record));
  }

  /** Takes a record of {@code steering-jobs}. */
  public void takeJob(ConsumerRecord<byte[], byte[]> record) {
    Optional<String> key = keyOf(record).filter(id -> !id.isEmpty());
    if (key.isEmpty()) {
      skip(record, "its key is no job's");
      return;
    }
    jobBook.apply(key.get(), decode(jobs, record));
  }

  private static Optional<String> keyOf(ConsumerRecord<byte[], byte[]> record) {
    return Optional.ofNullable(record.key()).map(k -> new String(k, StandardCharsets.UTF_8));
  }

  private static <T extends SpecificRecord> T decode(
      RecordDeserializer<T> deserializer, ConsumerRecord<byte[], byte[]> record) {
    try {
      return deserializer.deserialize(record.topic(), record.value());
    } catch (RecordFormatException e) {
      skip(record, e.getMessage());
      return null;
    }
  }

  private static void skip(ConsumerRecord<byte[], byte[]> record, String reason) {
    log.warn(
        "skipped {}-{} offset {}: {}", record.topic(), record.partition(), record.offset(), reason);
  }
}
