package io.lensflow.bench.soak;

import io.lensflow.bench.soak.PlannedRequest.Kind;
import io.lensflow.records.ControlType;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends what is planned when it is due, and again what the broker did not take, until it has
 * acknowledged everything. One thread, {@code soak-sender}, sends.
 */
final class Sender implements AutoCloseable {
  private static final Duration ACKNOWLEDGED_LIMIT = Duration.ofMinutes(3);
  private static final long RETRY_MILLIS = 500;

  private final TopicCatalogue topics;
  private final RecordSerializer<SpecificRecord> serializer;
  private final Producer<String, byte[]> producer;
  private final SentLog sent;
  private final AtomicInteger open = new AtomicInteger();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "soak-sender"));

  Sender(KafkaClients clients, SentLog sent) {
    this.topics = clients.settings().catalogue();
    this.serializer = new RecordSerializer<>(clients.registry());
    this.sent = sent;
    Map<String, Object> config = clients.base();
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    producer = new KafkaProducer<>(config, new StringSerializer(), new ByteArraySerializer());
  }

  /** Begins: what is planned at zero goes out now. */
  void send(List<PlannedRequest> plan) {
    open.addAndGet(plan.size());
    plan.forEach(planned -> later(planned.at(), () -> send(planned)));
  }

  /** Returns when all is acknowledged. */
  void awaitAcknowledged(Duration stream) throws InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + stream.plus(ACKNOWLEDGED_LIMIT).toNanos();
    while (open.get() > 0) {
      if (System.nanoTime() > deadline) {
        throw new TimeoutException(open + " records were never acknowledged by the broker");
      }
      TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
    }
  }

  private void send(PlannedRequest planned) {
    if (planned.request() == null) {
      boolean chunk = planned.kind() == Kind.BROKEN_CHUNK;
      String topic = chunk ? topics.activations() : topics.promptRequests();
      send(planned, "", new ProducerRecord<>(topic, "broken-" + planned.index(), planned.bytes()));
      return;
    }
    PromptRequest request = PromptRequest.newBuilder(planned.request()).build();
    request.setRequestId(Ids.newId());
    request.setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS));
    String id = request.getRequestId();
    ProducerRecord<String, byte[]> record = record(topics.promptRequests(), id, request);
    if (planned.kind() == Kind.TWICE) {
      open.incrementAndGet();
      send(planned, id, record);
    }
    send(planned, id, record);
    if (planned.cancelAfter() != null) {
      open.incrementAndGet();
      later(planned.cancelAfter(), () -> cancel(id));
    }
  }

  private void send(PlannedRequest planned, String id, ProducerRecord<String, byte[]> record) {
    producer.send(
        record,
        (metadata, e) -> {
          if (e == null) {
            sent.add(planned, id, record.value());
            open.decrementAndGet();
          } else {
            later(Duration.ofMillis(RETRY_MILLIS), () -> send(planned, id, record));
          }
        });
  }

  private void cancel(String id) {
    RequestControl order =
        RequestControl.newBuilder()
            .setRequestId(id)
            .setType(ControlType.CANCEL)
            .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
            .setReason("the soak changed its mind")
            .build();
    cancel(record(topics.requestControl(), id, order));
  }

  private void cancel(ProducerRecord<String, byte[]> order) {
    producer.send(
        order,
        (metadata, e) -> {
          if (e == null) {
            open.decrementAndGet();
          } else {
            later(Duration.ofMillis(RETRY_MILLIS), () -> cancel(order));
          }
        });
  }

  private ProducerRecord<String, byte[]> record(String topic, String id, SpecificRecord value) {
    ProducerRecord<String, SpecificRecord> record = LensflowHeaders.record(topic, id, value, null);
    return new ProducerRecord<>(
        topic, null, id, serializer.serialize(topic, value), record.headers());
  }

  private void later(Duration delay, Runnable task) {
    thread.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    thread.shutdownNow();
    producer.close(Duration.ofSeconds(5));
  }
}
