package io.lensflow.worker;

import io.lensflow.records.CompletionEvent;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.worker.intake.CompletionHistory;
import io.lensflow.worker.publishing.EventLog;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The Kafka clients of a worker, each set up for what it carries. What is made here is closed by
 * who asked for it. Immutable and thread-safe.
 */
final class WorkerClients {
  private static final Map<String, Object> TAIL =
      Map.of(
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
          ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
  private static final int MEBIBYTE = 1024 * 1024;
  private static final int CHUNK_BATCH_BYTES = 64 * 1024;

  /** Kafka's own overhead of a record, and more. */
  private static final int RECORD_SLACK_BYTES = 4096;

  private final KafkaClients clients;
  private final TopicCatalogue catalogue;
  private final WorkerSettings.PublisherSettings publisher;

  WorkerClients(KafkaClients clients, WorkerSettings.PublisherSettings publisher) {
    this.clients = clients;
    this.catalogue = clients.settings().catalogue();
    this.publisher = publisher;
  }

  /**
   * Writes events and dead letters; a dead letter holds a whole record of another topic, and more.
   */
  EventLog events() {
    return new EventLog(
        clients.producer(
            Map.of(
                ProducerConfig.LINGER_MS_CONFIG,
                0,
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                Math.addExact(catalogue.sizes().maxRecordBytes(), 2 * MEBIBYTE))));
  }

  /** Writes chunks. */
  Producer<String, SpecificRecord> chunks() {
    int record = publisher.chunks().maxRecordBytes();
    // The buffer is bounded by the scheduler; the producer's own has to hold all of it, or send()
    // would block.
    long memory = publisher.bufferBytes() + 2L * record + 32L * MEBIBYTE;
    return clients.producer(
        Map.of(
            ProducerConfig.LINGER_MS_CONFIG,
            0,
            ProducerConfig.BATCH_SIZE_CONFIG,
            CHUNK_BATCH_BYTES,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            memory,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            Math.max(MEBIBYTE, record + RECORD_SLACK_BYTES),
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            publisher.compression()));
  }

  /** Looks up earlier attempts. */
  CompletionHistory history() {
    return new CompletionHistory(
        catalogue.completions(),
        catalogue.requestPartitions(),
        clients.bytesConsumer(
            Map.of(
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                // A fetch that waits at the end of one partition keeps the next look-up waiting.
                ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
                10)),
        clients.deserializer(CompletionEvent.class));
  }

  /** Follows a topic from its beginning, what is committed only. */
  Consumer<byte[], byte[]> tail() {
    return clients.bytesConsumer(TAIL);
  }
}
