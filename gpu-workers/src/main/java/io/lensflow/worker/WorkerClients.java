package io.lensflow.worker;

import io.lensflow.records.CompletionEvent;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.worker.intake.CompletionHistory;
import io.lensflow.worker.lag.DecoderWatch;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;

/** A worker's Kafka clients, but for those of its request source. Immutable. */
final class WorkerClients {
  private static final int MEBIBYTE = 1024 * 1024;

  private final WorkerSettings settings;
  private final KafkaClients clients;
  private final TopicCatalogue catalogue;

  WorkerClients(WorkerSettings settings, KafkaClients clients) {
    this.settings = settings;
    this.clients = clients;
    this.catalogue = clients.settings().catalogue();
  }

  /** Producer of completion events, dead letters and heartbeats. */
  Producer<String, SpecificRecord> events() {
    Map<String, Object> needs = patient();
    needs.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    // A dead letter holds a whole record of another topic, and more.
    needs.put(
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
        Math.addExact(catalogue.sizes().maxRecordBytes(), 2 * MEBIBYTE));
    return clients.producer(needs);
  }

  /** Producer of activation chunks. */
  Producer<String, SpecificRecord> chunks() {
    WorkerSettings.PublisherSettings publisher = settings.publisher();
    int record = publisher.chunks().maxRecordBytes();
    Map<String, Object> needs = patient();
    needs.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    needs.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 * 1024);
    // The buffer is bounded by the scheduler; the producer's own has to hold all of it, or send()
    // would block.
    needs.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG,
        publisher.bufferBytes() + 2L * record + 32L * MEBIBYTE);
    needs.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Math.max(MEBIBYTE, record + 4096));
    needs.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, publisher.compression());
    return clients.producer(needs);
  }

  /**
   * A record waits for the broker as long as its request may run. By default it would be given up
   * after two minutes, its attempt with it, and a longer outage would use up all attempts of
   * requests that did no wrong. Who sets {@code delivery.timeout.ms} has decided that for himself.
   *
   * @return a map that the caller may add to
   */
  Map<String, Object> patient() {
    Map<String, Object> needs = new HashMap<>();
    if (!clients.settings().properties().containsKey(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG)) {
      long patience = Math.max(120_000, settings.intake().maxRequestTime().toMillis());
      needs.put(
          ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) Math.min(Integer.MAX_VALUE, patience));
    }
    return needs;
  }

  /** A consumer that reads whole topics. */
  Consumer<byte[], byte[]> tail() {
    return clients.bytesConsumer(
        Map.of(
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "earliest",
            ConsumerConfig.ISOLATION_LEVEL_CONFIG,
            "read_committed"));
  }

  /** Looks up what happened to requests before. */
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

  /** Watches how far the model's decoder is. */
  DecoderWatch decoderWatch(WorkerMetrics metrics) {
    return DecoderWatch.open(
        settings.decoderWatch(),
        new DecoderWatch.Target(
            catalogue.decoderGroup(settings.servedName()),
            catalogue.activations(),
            catalogue.requestPartitions()),
        clients.admin(),
        metrics);
  }
}
