package io.lensflow.decoder.delivery;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.lens.TokenTexts;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A loop on the Kafka clients' own mocks and a clock that the test moves. */
abstract class LoopStage {
  static final TopicCatalogue TOPICS = new TopicCatalogue("", 2, (short) 1);
  static final TopicPartition P0 = new TopicPartition(TOPICS.activations(), 0);
  static final TopicPartition P1 = new TopicPartition(TOPICS.activations(), 1);

  final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none");
  final List<MockProducer<String, SpecificRecord>> producers = new ArrayList<>();
  final Map<String, ActivationChunk> chunks = new HashMap<>();
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  final ScriptedLosses losses = new ScriptedLosses();
  final TestModel model = new TestModel();
  // Nothing listens on port 1: the real client, which finds no registry.
  final RecordDeserializer<ActivationChunk> nowhere =
      new RecordDeserializer<>(
          new SchemaRegistryClient(URI.create("http://127.0.0.1:1")), ActivationChunk.class);
  long nanos = 1;
  boolean registryAway;
  KafkaException commitFailure;
  KernelThread kernel;
  DecodeLoop loop;

  @BeforeEach
  void start() throws Exception {
    kernel = KernelThread.start(() -> model, 256, 1);
    loop =
        new DecodeLoop(
            DecoderSettings.load(
                Map.of(
                    "lensflow.decoder.model", TestModel.NAME,
                    "lensflow.decoder.checkpoint", "unused",
                    "lensflow.decoder.max-held-bytes", "1MiB")),
            TOPICS,
            TestChunks.planner(),
            kernel,
            new TokenTexts(TestModel.SIZE, id -> "<" + id + ">"),
            new KafkaEnds(consumer, (topic, bytes) -> read(bytes), this::producer, losses),
            new DecoderMetrics(meters),
            () -> nanos);
    consumer.updateBeginningOffsets(Map.of(P0, 0L, P1, 0L));
    consumer.updateEndOffsets(Map.of(P0, 0L, P1, 0L));
    loop.begin();
  }

  @AfterEach
  void stop() {
    loop.close();
    kernel.close();
  }

  /** Turns, with the clock 50 ms on each time, until it holds; fails by the test's timeout. */
  void turnUntilDue(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      nanos += TimeUnit.MILLISECONDS.toNanos(50);
      loop.turn();
      LockSupport.parkNanos(200_000);
    }
  }

  void assign(TopicPartition... partitions) {
    consumer.rebalance(List.of(partitions));
    loop.turn();
  }

  void commit(TopicPartition partition, OffsetAndMetadata offset) {
    // The mock takes commits of assigned partitions only.
    consumer.rebalance(List.of(partition));
    consumer.commitSync(Map.of(partition, offset));
    consumer.rebalance(List.of());
  }

  void add(TopicPartition partition, long offset, ActivationChunk chunk) {
    String name = chunk.getRequestId() + "/" + chunk.getSequence();
    chunks.put(name, chunk);
    consumer.updateEndOffsets(Map.of(partition, offset + 1));
    consumer.addRecord(record(partition, offset, name, chunk.getModel()));
  }

  static ConsumerRecord<byte[], byte[]> record(
      TopicPartition partition, long offset, String name, String modelName) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(LensflowHeaders.MODEL, modelName.getBytes(StandardCharsets.UTF_8));
    headers.add(LensflowHeaders.TRACEPARENT, "00-trace".getBytes(StandardCharsets.UTF_8));
    byte[] value = name.getBytes(StandardCharsets.UTF_8);
    return new ConsumerRecord<>(
        partition.topic(),
        partition.partition(),
        offset,
        0,
        TimestampType.CREATE_TIME,
        0,
        60_000,
        new byte[0],
        value,
        headers,
        Optional.empty());
  }

  private ActivationChunk read(byte[] bytes) {
    if (registryAway) {
      return nowhere.deserialize("activations", new byte[] {0, 0, 0, 0, 1});
    }
    ActivationChunk chunk = chunks.get(new String(bytes, StandardCharsets.UTF_8));
    if (chunk == null) {
      throw new RecordFormatException("not a chunk");
    }
    return chunk;
  }

  private Producer<String, SpecificRecord> producer() {
    MockProducer<String, SpecificRecord> producer =
        new MockProducer<>(true, null, new StringSerializer(), (topic, value) -> new byte[0]) {
          @Override
          public void commitTransaction() {
            if (commitFailure != null) {
              throw commitFailure;
            }
            super.commitTransaction();
          }
        };
    producers.add(producer);
    return producer;
  }

  List<ProducerRecord<String, SpecificRecord>> sent() {
    return producers.stream().flatMap(producer -> producer.history().stream()).toList();
  }

  List<LensResult> results() {
    return sent().stream()
        .map(ProducerRecord::value)
        .filter(LensResult.class::isInstance)
        .map(LensResult.class::cast)
        .toList();
  }

  List<DeadLetter> deadLetters() {
    return sent().stream()
        .map(ProducerRecord::value)
        .filter(DeadLetter.class::isInstance)
        .map(DeadLetter.class::cast)
        .toList();
  }

  Map<TopicPartition, Long> committedOffsets() {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    committed().forEach((partition, offset) -> offsets.put(partition, offset.offset()));
    return offsets;
  }

  /** What is committed with the partition's offset. */
  OffsetNote committedNote(TopicPartition partition) {
    OffsetAndMetadata offset = committed().get(partition);
    return offset == null ? OffsetNote.NONE : OffsetNote.decode(offset.metadata());
  }

  private Map<TopicPartition, OffsetAndMetadata> committed() {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    producers.forEach(
        producer ->
            producer
                .consumerGroupOffsetsHistory()
                .forEach(groups -> groups.values().forEach(offsets::putAll)));
    return offsets;
  }
}
