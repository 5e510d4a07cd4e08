package io.lensflow.steering.worker;

import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.vector.ModelShape;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest heartbeat of each worker. Live is a worker whose heartbeat the broker stamped less
 * than 6 s ago. Thread-safe: one thread feeds it, any may read.
 */
public final class LiveWorkers {
  /** A worker without a heartbeat for so long is not live. */
  public static final Duration LIVE = Duration.ofSeconds(6);

  private static final Logger log = LoggerFactory.getLogger(LiveWorkers.class);

  private final RecordDeserializer<WorkerHeartbeat> deserializer;
  private final Clock clock;
  private final Map<String, Heard> workers = new ConcurrentHashMap<>();

  /**
   * @param brokerMillis the broker's timestamp, ms since the epoch
   */
  private record Heard(WorkerHeartbeat heartbeat, long brokerMillis) {}

  public LiveWorkers(KafkaClients clients, Clock clock) {
    this.deserializer = clients.deserializer(WorkerHeartbeat.class);
    this.clock = clock;
  }

  /** Takes a record of {@code workers}; a tombstone is an orderly stop. */
  public void take(ConsumerRecord<byte[], byte[]> record) {
    if (record.key() == null) {
      return;
    }
    String worker = new String(record.key(), StandardCharsets.UTF_8);
    if (record.value() == null) {
      workers.remove(worker);
      return;
    }
    try {
      WorkerHeartbeat heartbeat = deserializer.deserialize(record.topic(), record.value());
      workers.put(worker, new Heard(heartbeat, record.timestamp()));
    } catch (RecordFormatException e) {
      log.warn("skipped the heartbeat of worker '{}': {}", worker, e.getMessage());
    }
  }

  /** Heartbeats of all live workers, by name. */
  public List<WorkerHeartbeat> live() {
    long oldest = clock.millis() - LIVE.toMillis();
    return workers.values().stream()
        .filter(heard -> heard.brokerMillis() > oldest)
        .map(Heard::heartbeat)
        .sorted(Comparator.comparing(WorkerHeartbeat::getWorker))
        .toList();
  }

  /** Heartbeats of the live workers of a model, by name. */
  public List<WorkerHeartbeat> of(String model) {
    return live().stream().filter(heartbeat -> heartbeat.getModel().equals(model)).toList();
  }

  /** Shapes of the models that the live workers of {@code model} run. */
  public List<ModelShape> shapesOf(String model) {
    return of(model).stream()
        .map(h -> new ModelShape(h.getWorker(), h.getRevision(), h.getLayers(), h.getHiddenSize()))
        .toList();
  }
}
