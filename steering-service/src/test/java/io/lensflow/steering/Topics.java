package io.lensflow.steering;

import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.steering.topics.ShortReads;
import io.lensflow.testkit.KafkaEnvironment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The topics as a test looks at them from outside. */
public final class Topics implements AutoCloseable {
  private final KafkaClients clients;
  private final Producer<String, SpecificRecord> producer;

  /** A committed record; {@code value} null for a tombstone. */
  public record Seen<T>(String key, String type, T value, long offset) {}

  public Topics(KafkaEnvironment kafka) {
    this.clients = new KafkaClients(settings(kafka));
    this.producer = clients.producer(Map.of());
  }

  /** How services reach the test's broker. */
  public static KafkaSettings settings(KafkaEnvironment kafka) {
    return new KafkaSettings(
        kafka.bootstrapServers(),
        kafka.registryUri(),
        kafka.catalogue().prefix(),
        kafka.catalogue().requestPartitions(),
        (short) 1,
        Map.of());
  }

  public KafkaClients clients() {
    return clients;
  }

  /** Writes a record and waits for the broker. */
  public void write(String topic, String key, SpecificRecord value) {
    try {
      producer.send(LensflowHeaders.record(topic, key, value, null)).get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** Writes bytes that may be anything. */
  public void writeBytes(String topic, byte[] value) {
    try (var raw =
        new KafkaProducer<>(clients.base(), new ByteArraySerializer(), new ByteArraySerializer())) {
      raw.send(new ProducerRecord<byte[], byte[]>(topic, value)).get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** All committed records of a topic, in order. */
  public <T extends SpecificRecord> List<Seen<T>> read(String topic, Class<T> type) {
    List<Seen<T>> seen = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = clients.bytesConsumer(ShortReads.COMMITTED)) {
      Set<TopicPartition> open = new HashSet<>();
      consumer
          .partitionsFor(topic)
          .forEach(info -> open.add(new TopicPartition(topic, info.partition())));
      consumer.assign(open);
      Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(open));
      var deserializer = clients.deserializer(type);
      open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      while (!open.isEmpty()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          seen.add(
              new Seen<>(
                  record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8),
                  LensflowHeaders.get(record.headers(), LensflowHeaders.TYPE).orElse(null),
                  deserializer.deserialize(topic, record.value()),
                  record.offset()));
        }
        open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      }
    }
    return seen;
  }

  @Override
  public void close() {
    producer.close();
  }
}
