package io.lensflow.steering.topics;

import io.lensflow.records.AuditEvent;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.service.KafkaClients;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads what {@code audit} says of a subject. It is asked for now and then, by people, so that each
 * read goes through the topic and nothing is kept. Thread-safe: each read has a consumer of its
 * own.
 */
public final class AuditReader {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(200);

  private final KafkaClients clients;
  private final CommittedEnds ends;
  private final RecordDeserializer<AuditEvent> deserializer;
  private final String topic;

  /**
   * @param topic name of the audit topic
   */
  public AuditReader(KafkaClients clients, CommittedEnds ends, String topic) {
    this.clients = clients;
    this.ends = ends;
    this.deserializer = clients.deserializer(AuditEvent.class);
    this.topic = topic;
  }

  /**
   * All events of a subject, committed by now and still kept, in the topic's order.
   *
   * @throws TimeoutException if the topic cannot be read in 30 s
   */
  public List<AuditEvent> of(String subject) throws TimeoutException {
    byte[] key = subject.getBytes(StandardCharsets.UTF_8);
    List<AuditEvent> events = new ArrayList<>();
    Map<TopicPartition, Long> end = ends.of(List.of(topic), TIMEOUT);
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    try (KafkaConsumer<byte[], byte[]> consumer = clients.bytesConsumer(ShortReads.COMMITTED)) {
      consumer.assign(end.keySet());
      consumer.seekToBeginning(end.keySet());
      while (end.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        if (System.nanoTime() > deadline) {
          throw new TimeoutException("the audit topic could not be read in " + TIMEOUT);
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          if (Arrays.equals(key, record.key()) && record.value() != null) {
            events.add(deserializer.deserialize(topic, record.value()));
          }
        }
      }
    }
    return events;
  }
}
