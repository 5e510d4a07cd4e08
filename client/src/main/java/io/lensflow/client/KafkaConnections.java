package io.lensflow.client;

import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.RecordSerializer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Makes this module's Kafka clients from its options. Thread-safe. */
final class KafkaConnections {
  private final ClientOptions options;

  KafkaConnections(ClientOptions options) {
    this.options = options;
  }

  /**
   * An admin client to a broker that has answered.
   *
   * @throws ClientException if none answers within the options' patience
   */
  Admin admin() {
    Admin admin;
    try {
      admin = Admin.create(common());
    } catch (KafkaException e) {
      throw unusable(e);
    }
    long patience = options.connectTimeout().toMillis();
    try {
      admin.describeCluster().nodes().get(patience, TimeUnit.MILLISECONDS);
      return admin;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close(admin);
      throw new ClientException("interrupted while connecting to Kafka", e);
    } catch (ExecutionException | TimeoutException e) {
      close(admin);
      throw new ClientException(
          "no Kafka broker answers at %s within %d s; check bootstrap-servers"
              .formatted(options.bootstrapServers(), options.connectTimeout().toSeconds()),
          e);
    }
  }

  private static void close(Admin admin) {
    admin.close(java.time.Duration.ZERO);
  }

  /** A producer that gives up on a record after the options' patience. */
  Producer<String, SpecificRecord> producer(SchemaRegistryClient registry) {
    Map<String, Object> properties = new HashMap<>();
    int patience = Math.toIntExact(options.connectTimeout().toMillis());
    properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, patience);
    properties.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, patience);
    properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 2 * patience);
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    properties.putAll(common());
    try {
      return new KafkaProducer<>(
          properties, new StringSerializer(), new RecordSerializer<SpecificRecord>(registry));
    } catch (KafkaException e) {
      throw unusable(e);
    }
  }

  /**
   * A consumer without a group. It reads only what is committed: results come in transactions, and
   * on the other topics, which have none, the setting costs nothing.
   */
  Consumer<byte[], byte[]> consumer() {
    Map<String, Object> properties = new HashMap<>();
    properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    properties.put(
        ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
        Math.toIntExact(options.connectTimeout().toMillis()));
    properties.putAll(common());
    try {
      return new KafkaConsumer<>(
          properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    } catch (KafkaException e) {
      throw unusable(e);
    }
  }

  private Map<String, Object> common() {
    Map<String, Object> properties = new HashMap<>(options.kafkaProperties());
    properties.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, options.bootstrapServers());
    return properties;
  }

  private ClientException unusable(KafkaException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new ClientException(
        "the Kafka client cannot start with bootstrap-servers '%s': %s"
            .formatted(options.bootstrapServers(), cause.getMessage()),
        e);
  }
}
