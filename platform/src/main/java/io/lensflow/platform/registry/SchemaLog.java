package io.lensflow.platform.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The compacted topic that holds everything a registry knows, in the layout of Confluent's. One
 * writer at a time: the transactional id fences every earlier one, so that two registries over one
 * topic never hand out the same id twice. Not thread-safe: {@link SchemaStore} guards it.
 */
final class SchemaLog implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SchemaLog.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long TIMEOUT_SECONDS = 20;
  private static final Duration POLL = Duration.ofMillis(200);

  private final RegistryOptions options;
  private final TopicPartition partition;
  private final KafkaConsumer<String, String> consumer;
  private KafkaProducer<String, String> producer;

  SchemaLog(RegistryOptions options) {
    this.options = options;
    this.partition = new TopicPartition(options.topic(), 0);
    createTopic();
    this.consumer = consumer();
  }

  /** Hands over, in order, every record that was committed since the last call, by anyone. */
  void readNew(BiConsumer<JsonNode, JsonNode> reader) {
    readTo(consumer.endOffsets(List.of(partition)).get(partition), reader);
  }

  /**
   * As {@link #readNew}, up to an offset (exclusive) that is written but may not be visible yet.
   */
  void readTo(long end, BiConsumer<JsonNode, JsonNode> reader) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (consumer.position(partition) < end) {
      if (System.nanoTime() > deadline) {
        throw new org.apache.kafka.common.errors.TimeoutException(
            "Topic %s could not be read to offset %d".formatted(partition.topic(), end));
      }
      for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
        read(record, reader);
      }
    }
  }

  boolean isWriter() {
    return producer != null;
  }

  /**
   * Makes this the writer; what others wrote before is to be read after this, and before writing.
   *
   * @throws KafkaException if the broker does not let it; this is none then
   */
  void becomeWriter() {
    resign();
    Map<String, Object> properties = properties();
    properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "lensflow-registry-" + options.topic());
    properties.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    properties.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, "8000");
    properties.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 8000);
    KafkaProducer<String, String> next =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    try {
      next.initTransactions();
    } catch (KafkaException e) {
      next.close(Duration.ofSeconds(1));
      throw e;
    }
    producer = next;
  }

  /**
   * Writes one record and returns its offset. The broker ends a transaction a moment after the
   * commit returns: who wants to see the record reads up to that offset.
   *
   * @throws KafkaException if that failed, or another registry has become the writer; this is none
   *     then
   */
  long append(JsonNode key, JsonNode value) {
    try {
      producer.beginTransaction();
      Future<RecordMetadata> written =
          producer.send(
              new ProducerRecord<>(partition.topic(), 0, key.toString(), value.toString()));
      producer.commitTransaction();
      return written.get().offset();
    } catch (KafkaException e) {
      resign();
      throw e;
    } catch (ExecutionException e) {
      throw new KafkaException("The commit held, but its record failed", e.getCause());
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  @Override
  public void close() {
    resign();
    consumer.close();
  }

  private void resign() {
    if (producer != null) {
      producer.close(Duration.ofSeconds(1));
      producer = null;
    }
  }

  private void createTopic() {
    NewTopic topic =
        new NewTopic(options.topic(), Optional.of(1), Optional.empty())
            .configs(Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT));
    try (Admin admin = Admin.create(properties())) {
      admin.createTopics(List.of(topic)).all().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw cannotUse(e.getCause());
      }
    } catch (TimeoutException | KafkaException e) {
      throw cannotUse(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw cannotUse(e);
    }
  }

  private RegistryStartException cannotUse(Throwable cause) {
    return new RegistryStartException(
        "The schema registry cannot use topic %s of the broker at %s: %s"
            .formatted(options.topic(), options.bootstrapServers(), cause),
        cause);
  }

  private KafkaConsumer<String, String> consumer() {
    Map<String, Object> properties = properties();
    properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    KafkaConsumer<String, String> reader =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    reader.assign(List.of(partition));
    reader.seekToBeginning(List.of(partition));
    return reader;
  }

  private Map<String, Object> properties() {
    Map<String, Object> properties = new HashMap<>();
    // A client of the registry gives up after 10 s; to go on asking a dead broker helps nobody.
    properties.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, "8000");
    properties.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, "8000");
    properties.putAll(options.clientProperties());
    properties.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, options.bootstrapServers());
    return properties;
  }

  private static void read(
      ConsumerRecord<String, String> record, BiConsumer<JsonNode, JsonNode> reader) {
    try {
      JsonNode value = record.value() == null ? null : JSON.readTree(record.value());
      reader.accept(JSON.readTree(record.key()), value);
    } catch (JsonProcessingException | IllegalArgumentException e) {
      log.warn(
          "Record {} of topic {} is none of a registry's and is skipped: {}",
          record.offset(),
          record.topic(),
          e.getMessage());
    }
  }
}
