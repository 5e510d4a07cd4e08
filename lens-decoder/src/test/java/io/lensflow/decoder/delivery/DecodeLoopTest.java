package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.lens.TokenTexts;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The loop turn by turn, on the Kafka clients' own mocks and a clock that the test moves. */
@Timeout(30)
class DecodeLoopTest {
  private static final TopicCatalogue TOPICS = new TopicCatalogue("", 2, (short) 1);
  private static final TopicPartition P0 = new TopicPartition(TOPICS.activations(), 0);
  private static final TopicPartition P1 = new TopicPartition(TOPICS.activations(), 1);

  private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none");
  private final List<MockProducer<String, SpecificRecord>> producers = new ArrayList<>();
  private final Map<String, ActivationChunk> chunks = new HashMap<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final TestModel model = new TestModel();
  // Nothing listens on port 1: the real client, which finds no registry.
  private final RecordDeserializer<ActivationChunk> nowhere =
      new RecordDeserializer<>(
          new SchemaRegistryClient(URI.create("http://127.0.0.1:1")), ActivationChunk.class);
  private long nanos = 1;
  private boolean registryAway;
  private KafkaException commitFailure;
  private KernelThread kernel;
  private DecodeLoop loop;

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
            new KafkaEnds(consumer, (topic, bytes) -> read(bytes), this::producer),
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

  @Test
  void shouldPublishResultsWithTheirOffsetsInOneTransaction() {
    assign(P0, P1);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    add(P1, 0, TestChunks.chunk("b", 0, 0));
    turnUntilDue(() -> results().size() == 2);

    assertThat(results()).extracting(LensResult::getRequestId).containsExactlyInAnyOrder("a", "b");
    assertThat(committedOffsets()).containsEntry(P0, 1L).containsEntry(P1, 1L);
    assertThat(producers.get(0).commitCount()).isEqualTo(1);
    ProducerRecord<String, SpecificRecord> record = sent().get(0);
    assertThat(record.topic()).isEqualTo(TOPICS.lensResults());
    assertThat(record.key()).isEqualTo(((LensResult) record.value()).getRequestId());
    assertThat(LensflowHeaders.get(record.headers(), LensflowHeaders.TYPE)).contains("LensResult");
    assertThat(LensflowHeaders.get(record.headers(), LensflowHeaders.TRACEPARENT))
        .contains("00-trace");
  }

  @Test
  void shouldWaitForTheDeadlineAndNoLongerWhenBatchIsNotFull() {
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    loop.turn();
    nanos += TimeUnit.MILLISECONDS.toNanos(49);
    loop.turn();
    assertThat(kernel.inFlight()).isZero();

    nanos += TimeUnit.MILLISECONDS.toNanos(1);
    loop.turn();
    assertThat(kernel.inFlight()).isEqualTo(1);
    assertThat(meters.get("lensflow.decoder.queue.age").timer().totalTime(TimeUnit.MILLISECONDS))
        .isEqualTo(50);
  }

  @Test
  void shouldDecodeAgainAndPublishOnceWhenTheCommitFails() {
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    commitFailure = new KafkaException("the coordinator moved");
    turnUntilDue(() -> meters.get("lensflow.decoder.transaction.aborts").counter().count() == 1);
    assertThat(results()).isEmpty();
    assertThat(consumer.position(P0)).isZero();

    commitFailure = null;
    consumer.resume(consumer.paused());
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    turnUntilDue(() -> !results().isEmpty());

    assertThat(results()).hasSize(1);
    assertThat(committedOffsets()).containsEntry(P0, 1L);
    assertThat(producers).hasSize(2);
    assertThat(producers.get(0).closed()).isTrue();
  }

  @Test
  void shouldCommitWhatIsFinishedAndDropTheRestWhenPartitionsAreRevoked() {
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    turnUntilDue(() -> results().size() == 1);
    add(P0, 1, TestChunks.chunk("a", 1, 1));
    loop.turn();

    assign(P1);
    add(P1, 0, TestChunks.chunk("b", 0, 0));
    turnUntilDue(() -> results().size() == 2);

    assertThat(results()).extracting(LensResult::getRequestId).containsExactly("a", "b");
    assertThat(committedOffsets()).containsEntry(P0, 1L);
  }

  @Test
  void shouldSendToTheDeadLettersAndGoOnWhenARecordCannotBeRead() {
    assign(P0);
    consumer.updateEndOffsets(Map.of(P0, 9L));
    consumer.addRecord(record(P0, 0, "not a chunk", TestModel.NAME));
    add(P0, 1, TestChunks.chunk("a", 0, 0));
    turnUntilDue(() -> results().size() == 1);

    DeadLetter letter = deadLetters().get(0);
    assertThat(letter.getFailure().getCode()).isEqualTo("UNREADABLE_RECORD");
    assertThat(letter.getOffset()).isZero();
    assertThat(new String(letter.getValue().array(), StandardCharsets.UTF_8))
        .isEqualTo("not a chunk");
    assertThat(committedOffsets()).containsEntry(P0, 2L);
  }

  @Test
  void shouldReportAGapUnderEachLensWhenAChunkIsRefused() {
    assign(P0);
    ActivationChunk damaged = TestChunks.chunk("a", 4, 0);
    damaged.setCrc32c(1);
    damaged.setLenses(List.of(TestChunks.lens("logit", 1), TestChunks.lens("tuned", 1)));
    add(P0, 0, damaged);
    turnUntilDue(() -> results().size() == 2);

    assertThat(results()).extracting(LensResult::getLens).containsExactly("logit", "tuned");
    assertThat(results())
        .allSatisfy(
            result -> {
              assertThat(result.getSequence()).isEqualTo(4);
              assertThat(result.getGap().getMissingSequences()).containsExactly(4);
              assertThat(result.getGap().getReason()).startsWith("CHECKSUM_MISMATCH");
            });
    assertThat(deadLetters()).hasSize(1);
    assertThat(
            meters
                .get("lensflow.decoder.dead.letters")
                .tag("code", "CHECKSUM_MISMATCH")
                .counter()
                .count())
        .isEqualTo(1);
  }

  @Test
  void shouldRefuseRowsOfNaN() {
    assign(P0);
    add(P0, 0, TestChunks.withValue(TestChunks.chunk("a", 0, 0, 1), 3, Float.NaN));
    add(P0, 1, TestChunks.chunk("b", 0, 0));
    turnUntilDue(() -> results().size() == 2);

    assertThat(deadLetters().get(0).getFailure().getCode()).isEqualTo("NON_FINITE_ROWS");
    assertThat(deadLetters().get(0).getFailure().getMessage()).contains("layer 1 at position 1");
    assertThat(results().get(0).getGap()).isNotNull();
    assertThat(results().get(1).getGap()).isNull();
  }

  @Test
  void shouldDecodeTheLensesItHasAndSayWhichItHasNot() {
    assign(P0);
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0);
    LensRequest metrics = TestChunks.lens("logit", 1);
    metrics.setMetrics(List.of(LensMetric.TOP_K, LensMetric.KL, LensMetric.UNKNOWN));
    chunk.setLenses(List.of(metrics, TestChunks.lens("tuned", 1)));
    add(P0, 0, chunk);
    turnUntilDue(() -> results().size() == 2);

    LensResult logit = results().get(0);
    assertThat(logit.getTopIds()).hasSize(3);
    assertThat(logit.getKl()).hasSize(3).last().isEqualTo(0f);
    assertThat(logit.getEntropy()).isNull();
    assertThat(logit.getGap()).isNull();
    LensResult tuned = results().get(1);
    assertThat(tuned.getLens()).isEqualTo("tuned");
    assertThat(tuned.getGap().getReason()).contains("no lens 'tuned'; it has 'logit'");
    assertThat(deadLetters()).isEmpty();
    assertThat(meters.get("lensflow.decoder.lenses.missed").counter().count()).isEqualTo(1);
  }

  @Test
  void shouldSkipOtherModelsWithoutReadingThem() {
    assign(P0);
    consumer.updateEndOffsets(Map.of(P0, 9L));
    consumer.addRecord(record(P0, 0, "not a chunk", "another-model"));
    loop.turn();
    nanos += TimeUnit.SECONDS.toNanos(1);
    loop.turn();

    assertThat(sent()).isEmpty();
    assertThat(committedOffsets()).containsEntry(P0, 1L);
    assertThat(meters.get("lensflow.decoder.chunks.skipped").counter().count()).isEqualTo(1);
  }

  @Test
  void shouldReportWhichSequencesFellIntoAHole() {
    assign(P0);
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    add(P0, 5, TestChunks.chunk("a", 3, 1));
    turnUntilDue(() -> results().size() == 3);

    LensResult gap = results().get(1);
    assertThat(gap.getGap().getMissingSequences()).containsExactly(1, 2);
    assertThat(gap.getGap().getFirstOffset()).isEqualTo(1);
    assertThat(gap.getGap().getLastOffset()).isEqualTo(4);
    assertThat(results().get(2).getSequence()).isEqualTo(3);
    assertThat(meters.get("lensflow.decoder.lost.records").counter().count()).isEqualTo(4);
    assertThat(committedOffsets()).containsEntry(P0, 6L);
  }

  @Test
  void shouldNoticeAtAssignmentWhatRetentionTook() {
    consumer.updateBeginningOffsets(Map.of(P0, 7L));
    consumer.updateEndOffsets(Map.of(P0, 7L));
    commit(P0, 3);
    assign(P0);
    loop.turn();
    nanos += TimeUnit.SECONDS.toNanos(1);
    loop.turn();

    assertThat(meters.get("lensflow.decoder.lost.records").counter().count()).isEqualTo(4);
    assertThat(committedOffsets()).containsEntry(P0, 7L);
  }

  @Test
  void shouldPauseAndGoOnPollingWhenTooMuchIsHeld() {
    assign(P0, P1);
    int[] positions = new int[1200];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i;
    }
    for (int i = 0; i < 20; i++) {
      add(P0, i, TestChunks.chunk("a", i, positions));
    }
    loop.turn();
    loop.turn();
    assertThat(consumer.paused()).containsExactlyInAnyOrder(P0, P1);

    turnUntilDue(() -> results().size() == 20);
    loop.turn();
    assertThat(consumer.paused()).isEmpty();
  }

  @Test
  void shouldWaitForTheRegistryAndLoseNothing() {
    assign(P0);
    registryAway = true;
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    loop.turn();
    loop.turn();
    assertThat(consumer.position(P0)).isZero();
    assertThat(consumer.paused()).containsExactly(P0);

    registryAway = false;
    nanos += TimeUnit.MILLISECONDS.toNanos(500);
    loop.turn();
    add(P0, 0, TestChunks.chunk("a", 0, 0));
    turnUntilDue(() -> results().size() == 1);
    assertThat(deadLetters()).isEmpty();
  }

  @Test
  void shouldStopWithoutCommittingWhenTheDeviceIsBroken() {
    assign(P0);
    model.breakDown();
    add(P0, 0, TestChunks.chunk("a", 0, 0));

    assertThatThrownBy(() -> turnUntilDue(() -> false)).hasMessageContaining("kernel thread");
    assertThat(sent()).isEmpty();
    assertThat(committedOffsets()).isEmpty();
  }

  /** Turns, with the clock 50 ms on each time, until it holds; fails by the test's timeout. */
  private void turnUntilDue(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      nanos += TimeUnit.MILLISECONDS.toNanos(50);
      loop.turn();
      LockSupport.parkNanos(200_000);
    }
  }

  private void assign(TopicPartition... partitions) {
    consumer.rebalance(List.of(partitions));
    loop.turn();
  }

  private void commit(TopicPartition partition, long offset) {
    // The mock takes commits of assigned partitions only.
    consumer.rebalance(List.of(partition));
    consumer.commitSync(Map.of(partition, new OffsetAndMetadata(offset)));
    consumer.rebalance(List.of());
  }

  private void add(TopicPartition partition, long offset, ActivationChunk chunk) {
    String name = chunk.getRequestId() + "/" + chunk.getSequence();
    chunks.put(name, chunk);
    consumer.updateEndOffsets(Map.of(partition, offset + 1));
    consumer.addRecord(record(partition, offset, name, chunk.getModel()));
  }

  private static ConsumerRecord<byte[], byte[]> record(
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

  private List<ProducerRecord<String, SpecificRecord>> sent() {
    return producers.stream().flatMap(producer -> producer.history().stream()).toList();
  }

  private List<LensResult> results() {
    return sent().stream()
        .map(ProducerRecord::value)
        .filter(LensResult.class::isInstance)
        .map(LensResult.class::cast)
        .toList();
  }

  private List<DeadLetter> deadLetters() {
    return sent().stream()
        .map(ProducerRecord::value)
        .filter(DeadLetter.class::isInstance)
        .map(DeadLetter.class::cast)
        .toList();
  }

  private Map<TopicPartition, Long> committedOffsets() {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    producers.forEach(
        producer ->
            producer
                .consumerGroupOffsetsHistory()
                .forEach(
                    groups ->
                        groups
                            .values()
                            .forEach(
                                group -> group.forEach((p, o) -> offsets.put(p, o.offset())))));
    return offsets;
  }
}
