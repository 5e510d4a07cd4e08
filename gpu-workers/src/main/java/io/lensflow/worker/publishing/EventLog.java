package io.lensflow.worker.publishing;

import io.lensflow.schemas.serde.LensflowHeaders;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Writes a worker's small records: completion events, dead letters, heartbeats. One idempotent
 * producer, so that the events of a request lie in its partition in the order of the calls.
 *
 * <p>Thread-safe. A call may block while the broker cannot be reached (the producer's {@code
 * max.block.ms}): callers run on dispatchers that may block.
 */
public final class EventLog implements AutoCloseable {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final Producer<String, SpecificRecord> producer;

  /**
   * @param producer idempotent; closed with this
   */
  public EventLog(Producer<String, SpecificRecord> producer) {
    this.producer = producer;
  }

  /**
   * Writes a record.
   *
   * @param traceparent trace context, null for none
   * @return completes when the broker has acknowledged it, exceptionally if it never will
   */
  public CompletionStage<Void> publish(
      String topic, String key, SpecificRecord value, String traceparent) {
    return send(LensflowHeaders.record(topic, key, value, traceparent));
  }

  /** Writes a tombstone. */
  public CompletionStage<Void> delete(String topic, String key) {
    return send(new ProducerRecord<>(topic, key, null));
  }

  private CompletionStage<Void> send(ProducerRecord<String, SpecificRecord> record) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    try {
      producer.send(
          record,
          (metadata, e) -> {
            if (e == null) {
              done.complete(null);
            } else {
              done.completeExceptionally(e);
            }
          });
    } catch (RuntimeException e) {
      done.completeExceptionally(e);
    }
    return done;
  }

  @Override
  public void close() {
    producer.close(CLOSE_TIMEOUT);
  }
}
