package io.lensflow.worker;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.ControlType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends requests and sees everything that workers write. */
public final class Traffic implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(40);

  /**
   * A record as it lies in its topic.
   *
   * @param broker the broker's time
   */
  record Seen<T>(T value, ConsumerRecord<byte[], byte[]> record, Instant broker) {}

  final TopicCatalogue topics;
  final List<Seen<CompletionEvent>> completions = new CopyOnWriteArrayList<>();
  final List<Seen<ActivationChunk>> chunks = new CopyOnWriteArrayList<>();
  final List<Seen<DeadLetter>> deadLetters = new CopyOnWriteArrayList<>();
  final List<Seen<WorkerHeartbeat>> heartbeats = new CopyOnWriteArrayList<>();

  private final KafkaEnvironment environment;
  private final KafkaProducer<String, SpecificRecord> producer;
  private final KafkaProducer<String, byte[]> rawProducer;
  private final Thread reader;
  private volatile boolean stopped;

  /** Whether rows are forgotten as soon as they are read: a test of memory wants none of them. */
  volatile boolean dropPayloads;

  private volatile Throwable failure;

  Traffic(KafkaEnvironment environment) {
    this.environment = environment;
    this.topics = environment.catalogue();
    Map<String, Object> config =
        Map.of("bootstrap.servers", environment.bootstrapServers(), "linger.ms", 0);
    SchemaRegistryClient registry = environment.registry();
    producer =
        new KafkaProducer<>(config, new StringSerializer(), new RecordSerializer<>(registry));
    rawProducer = new KafkaProducer<>(config, new StringSerializer(), new ByteArraySerializer());
    reader = new Thread(() -> read(registry), "traffic");
    reader.start();
  }

  KafkaSettings kafka() {
    return new KafkaSettings(
        environment.bootstrapServers(),
        environment.registryUri(),
        topics.prefix(),
        topics.requestPartitions(),
        (short) 1,
        Map.of());
  }

  private void read(SchemaRegistryClient registry) {
    RecordDeserializer<CompletionEvent> events =
        new RecordDeserializer<>(registry, CompletionEvent.class);
    RecordDeserializer<ActivationChunk> rows =
        new RecordDeserializer<>(registry, ActivationChunk.class);
    RecordDeserializer<DeadLetter> letters = new RecordDeserializer<>(registry, DeadLetter.class);
    RecordDeserializer<WorkerHeartbeat> beats =
        new RecordDeserializer<>(registry, WorkerHeartbeat.class);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", environment.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic :
          List.of(
              topics.completions(), topics.activations(), topics.deadLetters(), topics.workers())) {
        consumer
            .partitionsFor(topic)
            .forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!stopped) {
        consumer
            .poll(Duration.ofMillis(50))
            .forEach(
                record -> {
                  keep(record, topics.completions(), events, completions);
                  keep(record, topics.activations(), rows, chunks);
                  keep(record, topics.deadLetters(), letters, deadLetters);
                  keep(record, topics.workers(), beats, heartbeats);
                });
      }
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  private <T extends SpecificRecord> void keep(
      ConsumerRecord<byte[], byte[]> record,
      String topic,
      RecordDeserializer<T> deserializer,
      List<Seen<T>> seen) {
    if (record.topic().equals(topic)) {
      T value = deserializer.deserialize(topic, record.value());
      ConsumerRecord<byte[], byte[]> kept = record;
      if (dropPayloads && value instanceof ActivationChunk chunk) {
        chunk.setPayload(ByteBuffer.allocate(0));
        kept = new ConsumerRecord<>(topic, record.partition(), record.offset(), record.key(), null);
      }
      seen.add(new Seen<>(value, kept, Instant.ofEpochMilli(record.timestamp())));
    }
  }

  /** A request with a text prompt; greedy, everything captured. */
  public static PromptRequest request(String text, int maxNewTokens) {
    return PromptRequest.newBuilder()
        .setRequestId(Ids.newId())
        .setCreatedAt(Instant.now())
        .setPrompt(Prompt.newBuilder().setText(text).build())
        .setMaxNewTokens(maxNewTokens)
        .build();
  }

  /** A request changed before it is sent. */
  public static PromptRequest request(
      String text, int maxNewTokens, Consumer<PromptRequest> change) {
    PromptRequest request = request(text, maxNewTokens);
    change.accept(request);
    return request;
  }

  /** Sends a request to the default topic; returns its id. */
  String send(PromptRequest request) {
    publish(topics.promptRequests(), request.getRequestId(), request);
    return request.getRequestId();
  }

  /** Writes any record. */
  void publish(String topic, String key, SpecificRecord value) {
    producer.send(LensflowHeaders.record(topic, key, value, null));
    producer.flush();
  }

  /** Writes a tombstone. */
  void delete(String topic, String key) {
    producer.send(new ProducerRecord<>(topic, key, null));
    producer.flush();
  }

  /** Writes bytes that are no record. */
  void sendRaw(String topic, String key, byte[] value) {
    rawProducer.send(new ProducerRecord<>(topic, key, value));
    rawProducer.flush();
  }

  void cancel(String requestId, String reason) {
    publish(
        topics.requestControl(),
        requestId,
        RequestControl.newBuilder()
            .setRequestId(requestId)
            .setType(ControlType.CANCEL)
            .setCreatedAt(Instant.now())
            .setReason(reason)
            .build());
  }

  List<Seen<CompletionEvent>> eventsOf(String requestId) {
    return completions.stream()
        .filter(seen -> seen.value().getRequestId().equals(requestId))
        .toList();
  }

  List<CompletionEvent> eventsOf(String requestId, CompletionType type) {
    return eventsOf(requestId).stream()
        .map(Seen::value)
        .filter(event -> event.getType() == type)
        .toList();
  }

  List<Seen<ActivationChunk>> chunksOf(String requestId) {
    return chunks.stream().filter(seen -> seen.value().getRequestId().equals(requestId)).toList();
  }

  /** Where the partitions of the topic of requests end. */
  Map<TopicPartition, Long> requestEnds(Admin admin)
      throws InterruptedException, ExecutionException {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    for (int p = 0; p < topics.requestPartitions(); p++) {
      wanted.put(new TopicPartition(topics.promptRequests(), p), OffsetSpec.latest());
    }
    Map<TopicPartition, Long> ends = new HashMap<>();
    admin.listOffsets(wanted).all().get().forEach((p, end) -> ends.put(p, end.offset()));
    return ends;
  }

  /** Waits for an event of a request. */
  CompletionEvent await(String requestId, Predicate<CompletionEvent> wanted) {
    Await.until(
        "an event of " + requestId,
        PATIENCE,
        () -> failure != null || first(requestId, wanted).isPresent());
    if (failure != null) {
      throw new AssertionError("the reader failed", failure);
    }
    return first(requestId, wanted).orElseThrow();
  }

  private Optional<CompletionEvent> first(String requestId, Predicate<CompletionEvent> wanted) {
    return eventsOf(requestId).stream().map(Seen::value).filter(wanted).findFirst();
  }

  /** Waits for the first terminal event. */
  CompletionEvent awaitEnd(String requestId) {
    return await(requestId, event -> isTerminal(event.getType()));
  }

  static boolean isTerminal(CompletionType type) {
    return type == CompletionType.FINISHED
        || type == CompletionType.FAILED
        || type == CompletionType.CANCELLED;
  }

  /** Waits for the first dead letter of a record by its key, which is the request's id. */
  DeadLetter awaitDeadLetter(String key) {
    Await.until("a dead letter of " + key, PATIENCE, () -> deadLetter(key).isPresent());
    return deadLetter(key).orElseThrow();
  }

  private Optional<DeadLetter> deadLetter(String key) {
    ByteBuffer bytes = ByteBuffer.wrap(key.getBytes(StandardCharsets.UTF_8));
    return deadLetters.stream()
        .map(Seen::value)
        .filter(letter -> bytes.equals(letter.getKey()))
        .findFirst();
  }

  /** Waits for a heartbeat of a worker. */
  WorkerHeartbeat awaitHeartbeat(String worker) {
    Await.until(PATIENCE, () -> heartbeat(worker).isPresent());
    return heartbeat(worker).orElseThrow();
  }

  /** The newest heartbeat of a worker. */
  Optional<WorkerHeartbeat> heartbeat(String worker) {
    return heartbeats.stream()
        .map(Seen::value)
        .filter(beat -> beat != null && beat.getWorker().equals(worker))
        .reduce((earlier, later) -> later);
  }

  @Override
  public void close() {
    stopped = true;
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    producer.close();
    rawProducer.close();
  }
}
