package io.lensflow.steering.writer;

import io.lensflow.records.AuditEvent;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.topics.ShortReads;
import io.lensflow.steering.vector.Origin;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Ids of the commands that were carried out lately, so that one sent twice changes things once. The
 * audit topic knows them: its events are written in the changes' own transactions. Not thread-safe.
 */
final class CarriedOut {
  /** Commands are kept for a day, so none older than this comes again. */
  static final Duration REACH = Duration.ofHours(25);

  private final LinkedHashMap<String, Instant> ids = new LinkedHashMap<>();

  CarriedOut() {}

  /**
   * Reads the audit topic.
   *
   * @param now the present; events older than {@link #REACH} are not looked at
   * @throws TimeoutException if that takes longer than {@code timeout}
   */
  static CarriedOut read(KafkaClients clients, String auditTopic, Instant now, Duration timeout) {
    CarriedOut carriedOut = new CarriedOut();
    RecordDeserializer<AuditEvent> deserializer = clients.deserializer(AuditEvent.class);
    ShortReads.since(
        clients,
        List.of(auditTopic),
        now.minus(REACH),
        timeout,
        record -> carriedOut.take(deserializer, record));
    return carriedOut;
  }

  private void take(
      RecordDeserializer<AuditEvent> deserializer, ConsumerRecord<byte[], byte[]> record) {
    try {
      AuditEvent event = deserializer.deserialize(record.topic(), record.value());
      String id = event == null ? null : event.getDetails().get(Origin.COMMAND_ID);
      if (id != null) {
        add(id, event.getAt());
      }
    } catch (RecordFormatException e) {
      // Not an event of ours, so not a command either.
    }
  }

  /** Whether a command was carried out. */
  boolean contains(String commandId) {
    return ids.containsKey(commandId);
  }

  /** Notes a command, and forgets those that cannot come again. */
  void add(String commandId, Instant at) {
    ids.put(commandId, at);
    ids.values().removeIf(other -> other.isBefore(at.minus(REACH)));
  }
}
