package io.lensflow.ingest.submit;

import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.service.ApiException;
import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Writes records and answers for them when the broker has. One idempotent producer, {@code
 * acks=all}. Thread-safe.
 */
public final class RecordSender implements AutoCloseable {
  private final Producer<String, SpecificRecord> producer;
  private final Duration timeout;

  /**
   * @param timeout how long a broker may take
   */
  public RecordSender(KafkaClients clients, Duration timeout) {
    this.timeout = timeout;
    int millis = Math.toIntExact(timeout.toMillis());
    this.producer =
        clients.producer(
            Map.of(
                ProducerConfig.LINGER_MS_CONFIG, 0,
                ProducerConfig.MAX_BLOCK_MS_CONFIG, millis,
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis,
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, millis,
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 64 << 20));
  }

  /**
   * Sends a record. Blocks while metadata or a schema id is fetched for the first time, at most for
   * the time-out.
   *
   * @return completes when all in-sync replicas have it, or with {@link ApiException}
   */
  public CompletableFuture<RecordMetadata> send(
      String topic, String key, SpecificRecord value, String traceparent) {
    CompletableFuture<RecordMetadata> result = new CompletableFuture<>();
    try {
      producer.send(
          LensflowHeaders.record(topic, key, value, traceparent),
          (metadata, e) -> {
            if (e == null) {
              result.complete(metadata);
            } else {
              result.completeExceptionally(refusal(topic, e));
            }
          });
    } catch (KafkaException e) {
      result.completeExceptionally(refusal(topic, e));
    }
    return result;
  }

  private ApiException refusal(String topic, Throwable e) {
    if (e instanceof SchemaRegistryException) {
      return new ApiException(
          503, "REGISTRY_UNAVAILABLE", "the schema registry: " + e.getMessage(), null);
    }
    Throwable cause = e.getCause() == null ? e : e.getCause();
    if (cause instanceof RecordTooLargeException) {
      return new ApiException(
          413,
          "REQUEST_TOO_LARGE",
          "the request is larger than the topic '%s' takes; shorten the prompt".formatted(topic),
          "prompt");
    }
    if (cause instanceof UnknownTopicOrPartitionException) {
      return new ApiException(
          503,
          "TOPIC_NOT_FOUND",
          "the topic '%s' does not exist; create the topics first".formatted(topic),
          null);
    }
    return new ApiException(
        503,
        "BROKER_UNAVAILABLE",
        "Kafka has not stored the record within %d ms: %s"
            .formatted(timeout.toMillis(), cause.getMessage()),
        null);
  }

  @Override
  public void close() {
    producer.close(timeout);
  }
}
