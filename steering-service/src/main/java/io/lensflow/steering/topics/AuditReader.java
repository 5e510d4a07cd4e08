package io.lensflow.steering.topics;

import io.lensflow.records.AuditEvent;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.service.KafkaClients;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads what {@code audit} says of a subject. It is asked for now and then, by people, so that each
 * read goes through the topic and nothing is kept. Thread-safe: each read has a consumer of its
 * own.
 */
public final class AuditReader {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final KafkaClients clients;
  private final RecordDeserializer<AuditEvent> deserializer;
  private final String topic;

  /**
   * @param topic name of the audit topic
   */
  public AuditReader(KafkaClients clients, String topic) {
    this.clients = clients;
    this.deserializer = clients.deserializer(AuditEvent.class);
    this.topic = topic;
  }

  /**
   * All events of a subject, committed by now and still kept, in the topic's order.
   *
   * @throws TimeoutException if the topic cannot be read in 30 s
   */
  public List<AuditEvent> of(String subject) {
    byte[] key = subject.getBytes(StandardCharsets.UTF_8);
    List<AuditEvent> events = new ArrayList<>();
    ShortReads.since(
        clients,
        List.of(topic),
        Instant.EPOCH,
        TIMEOUT,
        record -> {
          if (Arrays.equals(key, record.key()) && record.value() != null) {
            events.add(deserializer.deserialize(topic, record.value()));
          }
        });
    return events;
  }
}
