package io.lensflow.client;

import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A live view of the topic {@code workers}: which models are served now, by whom, with how many
 * layers, and where their requests go.
 *
 * <p>One daemon thread, {@code lensflow-model-directory}, owns the Kafka consumer and outlives
 * broker outages. All methods are thread-safe; the waiting ones poll the view, because liveness
 * changes with time, not only with records.
 */
public final class ModelDirectory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelDirectory.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final long RECHECK_MILLIS = 50;

  private final String topic;
  private final String defaultRequestTopic;
  private final Consumer<byte[], byte[]> consumer;
  private final RecordDeserializer<WorkerHeartbeat> deserializer;
  private final WorkerView view;
  private final CountDownLatch ready = new CountDownLatch(1);
  private final CountDownLatch stop = new CountDownLatch(1);
  private final Thread thread;

  private ModelDirectory(
      ClientOptions options,
      Consumer<byte[], byte[]> consumer,
      RecordDeserializer<WorkerHeartbeat> deserializer,
      Clock clock) {
    this.topic = options.catalogue().workers();
    this.defaultRequestTopic = options.catalogue().promptRequests();
    this.consumer = consumer;
    this.deserializer = deserializer;
    this.view = new WorkerView(clock);
    this.thread = new Thread(this::run, "lensflow-model-directory");
    thread.setDaemon(true);
  }

  /** Opens a directory of its own; {@link LensflowClient#models} shares one. */
  public static ModelDirectory open(ClientOptions options) {
    return open(options, Clock.systemUTC());
  }

  static ModelDirectory open(ClientOptions options, Clock clock) {
    var registry = new io.lensflow.schemas.registry.SchemaRegistryClient(options.schemaRegistry());
    ModelDirectory directory =
        new ModelDirectory(
            options,
            new KafkaConnections(options).consumer(),
            new RecordDeserializer<>(registry, WorkerHeartbeat.class),
            clock);
    directory.thread.start();
    return directory;
  }

  /** Newest heartbeats of all live workers, by worker name. */
  public List<WorkerHeartbeat> liveWorkers() {
    return view.live();
  }

  /** All models that are served now, by name. */
  public Collection<ServedModel> models() {
    Map<String, List<WorkerHeartbeat>> byModel =
        view.live().stream()
            .collect(
                Collectors.groupingBy(
                    WorkerHeartbeat::getModel, TreeMap::new, Collectors.toList()));
    return byModel.values().stream()
        .map(workers -> ServedModel.of(workers, defaultRequestTopic))
        .toList();
  }

  /** A model by its served name, if a live worker serves it. */
  public Optional<ServedModel> model(String name) {
    return models().stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /**
   * Where to send a request.
   *
   * @param model served name; empty means whatever is served
   * @return the first request topic of the model's live workers; for an empty name that of the only
   *     model served; the default topic otherwise, where the request waits for a worker
   */
  public String requestTopicFor(String model) {
    if (!model.isEmpty()) {
      return model(model).map(ServedModel::requestTopic).orElse(defaultRequestTopic);
    }
    Collection<ServedModel> served = models();
    return served.size() == 1 ? served.iterator().next().requestTopic() : defaultRequestTopic;
  }

  /** Whether the topic has been read to the end that it had when this directory was opened. */
  public boolean isReady() {
    return ready.getCount() == 0;
  }

  /**
   * Waits until {@link #isReady}.
   *
   * @throws WaitTimeoutException if that takes longer
   */
  public void awaitReady(Duration timeout) {
    try {
      if (!ready.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new WaitTimeoutException(
            "topic '%s' could not be read within %d s; does it exist?"
                .formatted(topic, timeout.toSeconds()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException("interrupted while waiting for the model directory", e);
    }
  }

  /**
   * Waits until a live worker serves a model.
   *
   * @throws WaitTimeoutException if that takes longer; the message says which models are served
   */
  public ServedModel awaitModel(String name, Duration timeout) {
    if (!await(() -> model(name).isPresent(), timeout)) {
      List<String> served = models().stream().map(ServedModel::name).toList();
      throw new WaitTimeoutException(
          "no live worker serves the model '%s' (%s); start one, or name another model"
              .formatted(name, served.isEmpty() ? "none is served" : "served now: " + served));
    }
    return model(name).orElseThrow(() -> new ClientException("the last worker just left"));
  }

  /** Waits for a condition over this view; false if it did not come to hold in time. */
  private boolean await(BooleanSupplier condition, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() >= deadline || stop.await(RECHECK_MILLIS, TimeUnit.MILLISECONDS)) {
          return condition.getAsBoolean();
        }
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException("interrupted while waiting for a model", e);
    }
  }

  private void run() {
    try (consumer) {
      boolean assigned = false;
      Map<TopicPartition, Long> history = Map.of();
      while (stop.getCount() > 0) {
        try {
          if (!assigned) {
            history = assign();
            assigned = true;
          }
          for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
            take(record, record.offset() >= history.get(partitionOf(record)));
          }
          if (!isReady() && history.entrySet().stream().allMatch(this::isReadTo)) {
            ready.countDown();
          }
        } catch (WakeupException e) {
          return; // close() woke us
        } catch (KafkaException e) {
          log.warn("model directory: {}; trying again", e.getMessage());
          if (stop.await(RETRY.toMillis(), TimeUnit.MILLISECONDS)) {
            return;
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes all partitions from their beginnings; gives their ends as they are now. */
  private Map<TopicPartition, Long> assign() {
    List<PartitionInfo> infos = consumer.partitionsFor(topic);
    if (infos == null || infos.isEmpty()) {
      throw new KafkaException("the topic '" + topic + "' does not exist");
    }
    List<TopicPartition> partitions =
        infos.stream().map(info -> new TopicPartition(topic, info.partition())).toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return consumer.endOffsets(partitions);
  }

  private boolean isReadTo(Map.Entry<TopicPartition, Long> end) {
    return consumer.position(end.getKey()) >= end.getValue();
  }

  private void take(ConsumerRecord<byte[], byte[]> record, boolean fresh) {
    if (record.key() == null) {
      return; // nothing of ours: heartbeats are keyed by worker
    }
    String worker = new String(record.key(), StandardCharsets.UTF_8);
    try {
      WorkerHeartbeat heartbeat =
          record.value() == null ? null : deserializer.deserialize(topic, record.value());
      view.update(worker, heartbeat, Instant.ofEpochMilli(record.timestamp()), fresh);
    } catch (RecordFormatException | SchemaRegistryException e) {
      log.warn("heartbeat of worker {} left out: {}", worker, e.getMessage());
    }
  }

  private static TopicPartition partitionOf(ConsumerRecord<?, ?> record) {
    return new TopicPartition(record.topic(), record.partition());
  }

  @Override
  public void close() {
    stop.countDown();
    consumer.wakeup();
    try {
      thread.join(Duration.ofSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
