package io.lensflow.steering.writer;

import io.lensflow.records.AuditEvent;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.topics.ShortReads;
import io.lensflow.steering.vector.Origin;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Ids of the commands that were carried out lately, so that one sent twice changes things once. The
 * audit topic knows them: its events are written in the changes' own transactions. Not thread-safe.
 */
final class CarriedOut {
  /** Commands are kept for a day, so none older than this comes again. */
  static final Duration REACH = Duration.ofHours(25);

  private static final Duration POLL = Duration.ofMillis(100);

  private final LinkedHashMap<String, Instant> ids = new LinkedHashMap<>();

  CarriedOut() {}

  /**
   * Reads the audit topic.
   *
   * @param now the present; events older than {@link #REACH} are not looked at
   * @throws KafkaException if that takes longer than {@code timeout}
   */
  static CarriedOut read(KafkaClients clients, String auditTopic, Instant now, Duration timeout) {
    CarriedOut carriedOut = new CarriedOut();
    RecordDeserializer<AuditEvent> deserializer = clients.deserializer(AuditEvent.class);
    long deadline = System.nanoTime() + timeout.toNanos();
    try (KafkaConsumer<byte[], byte[]> consumer = clients.bytesConsumer(ShortReads.COMMITTED)) {
      Map<TopicPartition, Long> ends = seek(consumer, auditTopic, now.minus(REACH));
      Set<TopicPartition> open = new HashSet<>(ends.keySet());
      open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      while (!open.isEmpty()) {
        if (System.nanoTime() > deadline) {
          throw new KafkaException("%s could not be read in %s".formatted(auditTopic, timeout));
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          carriedOut.take(deserializer, record);
        }
        open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      }
    }
    return carriedOut;
  }

  private static Map<TopicPartition, Long> seek(
      KafkaConsumer<byte[], byte[]> consumer, String topic, Instant since) {
    Map<TopicPartition, Long> times = new HashMap<>();
    consumer
        .partitionsFor(topic)
        .forEach(p -> times.put(new TopicPartition(topic, p.partition()), since.toEpochMilli()));
    consumer.assign(times.keySet());
    Map<TopicPartition, Long> ends = consumer.endOffsets(times.keySet());
    Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times);
    for (TopicPartition partition : times.keySet()) {
      OffsetAndTimestamp start = starts.get(partition);
      consumer.seek(partition, start == null ? ends.get(partition) : start.offset());
    }
    return ends;
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
