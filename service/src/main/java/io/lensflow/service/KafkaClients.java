package io.lensflow.service;

import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordSerializer;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Makes Kafka clients from {@link KafkaSettings}: our defaults first, then the user's properties,
 * then what the caller cannot do without. Thread-safe; the caller owns what it gets and closes it.
 */
public final class KafkaClients {
  private final KafkaSettings settings;
  private final SchemaRegistryClient registry;

  public KafkaClients(KafkaSettings settings) {
    this.settings = settings;
    this.registry = new SchemaRegistryClient(settings.schemaRegistry());
  }

  /** The settings. */
  public KafkaSettings settings() {
    return settings;
  }

  /** The registry client that all serialisers of this process share. */
  public SchemaRegistryClient registry() {
    return registry;
  }

  /**
   * A producer of records by request id (or other string key): idempotent, {@code acks=all}.
   *
   * @param needs settings that the caller cannot do without, such as a transactional id
   */
  public Producer<String, SpecificRecord> producer(Map<String, ?> needs) {
    Map<String, Object> config = base();
    config.putIfAbsent(ProducerConfig.ACKS_CONFIG, "all");
    config.putIfAbsent(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    config.putAll(needs);
    return new KafkaProducer<>(config, new StringSerializer(), new RecordSerializer<>(registry));
  }

  /**
   * A consumer of undecoded records: the caller decodes with {@link #deserializer}, so that a
   * record which cannot be decoded goes to dead letters and does not stop the poll loop. No
   * automatic commits; without {@code group.id} it must be assigned partitions.
   */
  public KafkaConsumer<byte[], byte[]> bytesConsumer(Map<String, ?> needs) {
    Map<String, Object> config = base();
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    config.putAll(needs);
    return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** A decoder of values of one record type. */
  public <T extends SpecificRecord> RecordDeserializer<T> deserializer(Class<T> type) {
    return new RecordDeserializer<>(registry, type);
  }

  /** An admin client. */
  public Admin admin() {
    return Admin.create(base());
  }

  /** Connection settings and the user's own, for clients that this class does not make. */
  public Map<String, Object> base() {
    Map<String, Object> config = new HashMap<>(settings.properties());
    config.put("bootstrap.servers", settings.bootstrapServers());
    return config;
  }
}
