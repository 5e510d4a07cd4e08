package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.decoder.log.LogRange;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.decoder.replay.Replay;
import io.lensflow.decoder.replay.ReplayOutcome;
import io.lensflow.decoder.replay.ReplayPlan;
import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.TranslatorWriter;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.service.KafkaClients;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Rows of a real checkpoint, decoded again from the log through another lens. */
@ExtendWith(KafkaExtension.class)
class ReplayIT {
  private static final int TOP_K = 4;

  @TempDir private Path folder;
  private String topic;
  private Path fixture;
  private GoldenCase golden;

  @BeforeEach
  void read(TestInfo test, KafkaEnvironment environment) throws Exception {
    topic = environment.catalogue().prefix() + test.getTestMethod().orElseThrow().getName();
    fixture = SharedData.folder("fixtures/tiny-llama31");
    golden = GoldenCase.read(fixture, "case1");
  }

  @Test
  void shouldDecodeARequestAgainAsTheEngineAloneDoes(KafkaEnvironment environment)
      throws Exception {
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture)) {
      Path lens = writeLens(bed.revision);
      send(bed, "wanted", 2);
      send(bed, "another", 1);
      bed.sendBytes("wanted", "no chunk at all");
      bed.finish("wanted", 2);

      ReplayOutcome outcome = replay(bed, plan(List.of(folder), Optional.of("wanted")));

      assertThat(outcome.chunks()).isEqualTo(2);
      assertThat(outcome.rows()).isEqualTo(2L * golden.layers * golden.rows);
      assertThat(outcome.gaps()).isZero();
      assertThat(outcome.missing()).isEmpty();
      assertThat(outcome.canaryMismatches()).isZero();
      List<LensResult> results = results(bed);
      assertThat(results).extracting(LensResult::getRequestId).containsOnly("wanted");
      assertEqualsEngine(results, "logit", null, bed);
      assertEqualsEngine(results, "tuned", lens, bed);
      bed.read(Duration.ofMillis(200));
      assertThat(bed.results).as("nobody's subscribers notice").isEmpty();
      assertThat(bed.deadLetters).isEmpty();
    }
  }

  @Test
  void shouldSayWhichChunksAreNoLongerThere(KafkaEnvironment environment) throws Exception {
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture);
        Admin admin = environment.admin()) {
      writeLens(bed.revision);
      send(bed, "partly", 2);
      for (int p = 0; p < environment.catalogue().requestPartitions(); p++) {
        bed.deleteChunks(admin, p);
      }
      bed.send(golden.chunk("partly", 2, bed.revision, bed.tokenizerHash, 0, 1));
      bed.finish("partly", 4);

      ReplayOutcome outcome = replay(bed, plan(List.of(folder), Optional.of("partly")));

      assertThat(outcome.chunks()).isEqualTo(1);
      assertThat(outcome.missing())
          .containsExactly(
              "attempt partly-attempt: 3 of 4 chunks are no longer in the log, the first with"
                  + " sequence 0");
    }
  }

  @Test
  void shouldAnswerDamagedChunksOfARangeWithGapsAndGoOn(KafkaEnvironment environment)
      throws Exception {
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture)) {
      writeLens(bed.revision);
      send(bed, "earlier", 1);
      bed.flush();
      // The clock of the broker, on this machine; its times are whole milliseconds.
      Instant from = Instant.now().plusMillis(1);
      Await.until(
          "the next millisecond", Duration.ofSeconds(1), () -> !Instant.now().isBefore(from));
      ActivationChunk damaged = golden.chunk("damaged", 0, bed.revision, bed.tokenizerHash, 0, 1);
      damaged.setCrc32c(damaged.getCrc32c() ^ 1);
      bed.send(damaged);
      send(bed, "wanted", 1);

      ReplayOutcome outcome =
          replay(bed, plan(List.of(folder), Optional.empty(), LogRange.kept().from(from)));

      assertThat(outcome.chunks()).isEqualTo(1);
      assertThat(outcome.gaps()).as("one under each lens").isEqualTo(2);
      assertThat(results(bed).stream().filter(result -> result.getGap() != null))
          .extracting(LensResult::getRequestId)
          .containsOnly("damaged");
      bed.read(Duration.ofMillis(200));
      assertThat(bed.deadLetters).isEmpty();
    }
  }

  @Test
  void shouldRefuseTopicsOfTheSystemAndLensesThatAreNotThere(KafkaEnvironment environment)
      throws Exception {
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture)) {
      ReplayPlan without = plan(List.of(folder), Optional.empty());
      assertThatThrownBy(() -> replay(bed, without)).hasMessageContaining("no lens 'tuned'");
      ReplayPlan over =
          new ReplayPlan(
              TestModel.NAME,
              fixture,
              without.lenses(),
              List.of(),
              Optional.empty(),
              LogRange.kept(),
              bed.topics.lensResults(),
              1,
              1,
              64,
              1 << 20);
      assertThatThrownBy(() -> replay(bed, over))
          .hasMessageContaining(bed.topics.lensResults())
          .hasMessageContaining("name another");
    }
  }

  private void send(DecoderTestBed bed, String request, int chunks) {
    for (int sequence = 0; sequence < chunks; sequence++) {
      int from = sequence * golden.rows / chunks;
      int to = (sequence + 1) * golden.rows / chunks;
      bed.send(golden.chunk(request, sequence, bed.revision, bed.tokenizerHash, from, to));
    }
  }

  private ReplayPlan plan(List<Path> lensFiles, Optional<String> request) {
    return plan(lensFiles, request, LogRange.kept());
  }

  private ReplayPlan plan(List<Path> lensFiles, Optional<String> request, LogRange range) {
    return new ReplayPlan(
        TestModel.NAME,
        fixture,
        List.of(request("logit"), request("tuned")),
        lensFiles,
        request,
        range,
        topic,
        1,
        1,
        16,
        1 << 20);
  }

  private static LensRequest request(String name) {
    return LensRequest.newBuilder()
        .setName(name)
        .setTopK(TOP_K)
        .setMetrics(
            List.of(LensMetric.TOP_K, LensMetric.ENTROPY, LensMetric.LOG_SUM_EXP, LensMetric.KL))
        .setAccuracy(LensAccuracy.EXACT)
        .build();
  }

  private static ReplayOutcome replay(DecoderTestBed bed, ReplayPlan plan) throws Exception {
    bed.flush();
    return Replay.run(plan, new KafkaClients(bed.kafka), (done, total) -> {});
  }

  private List<LensResult> results(DecoderTestBed bed) {
    KafkaClients clients = new KafkaClients(bed.kafka);
    List<LensResult> results = new ArrayList<>();
    try (LogScan scan = LogScan.open(clients, "test", topic, LogRange.kept())) {
      while (!scan.isAtEnd()) {
        for (ConsumerRecord<byte[], byte[]> record : scan.poll(Duration.ofMillis(100))) {
          results.add(
              clients.deserializer(LensResult.class).deserialize(record.topic(), record.value()));
        }
      }
    }
    return results;
  }

  /** An affine lens with random matrices. */
  private Path writeLens(String revision) throws Exception {
    TranslatorInfo info =
        new TranslatorInfo(
            "tuned",
            TranslatorInfo.Kind.AFFINE,
            TestModel.NAME,
            revision,
            HookPoint.RESIDUAL_POST,
            "random",
            "",
            "");
    int d = golden.hiddenSize;
    TranslatorWriter writer = new TranslatorWriter(info, d);
    Random random = new Random(1);
    for (int layer = 0; layer < golden.layers - 1; layer++) {
      writer.add(layer, randomFloats(random, d * d), randomFloats(random, d));
    }
    Path file = folder.resolve("tuned.safetensors");
    writer.write(file);
    return file;
  }

  private static ByteBuffer randomFloats(Random random, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putFloat((float) (0.1 * random.nextGaussian()));
    }
    return bytes.flip();
  }

  private void assertEqualsEngine(
      List<LensResult> results, String name, Path lens, DecoderTestBed bed) throws Exception {
    LensRows expected = engine(lens, bed);
    int seen = 0;
    for (LensResult result : results) {
      if (!result.getLens().equals(name)) {
        continue;
      }
      int row = 0;
      for (int layer : result.getLayers()) {
        for (int position : result.getPositions()) {
          int at = layer * golden.rows + position;
          for (int rank = 0; rank < TOP_K; rank++) {
            assertThat(result.getTopLogits().get(row * TOP_K + rank))
                .isCloseTo(expected.topLogits()[at * TOP_K + rank], within(1e-4f));
          }
          assertThat(result.getTopIds().get(row * TOP_K)).isEqualTo(expected.topIds()[at * TOP_K]);
          assertThat(result.getEntropy().get(row)).isCloseTo(expected.entropy()[at], within(1e-4f));
          assertThat(result.getKl().get(row)).isCloseTo(expected.kl()[at], within(1e-3f));
          row++;
          seen++;
        }
      }
    }
    assertThat(seen).as("rows of lens %s", name).isEqualTo(golden.layers * golden.rows);
  }

  private LensRows engine(Path lens, DecoderTestBed bed) throws Exception {
    ByteBuffer rows =
        ByteBuffer.allocate(golden.layers * golden.rows * golden.hiddenSize * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    int n = golden.layers * golden.rows;
    for (int row = 0; row < n; row++) {
      for (float value : golden.row(row / golden.rows, row % golden.rows)) {
        rows.putFloat(value);
      }
    }
    rows.flip();
    int size = golden.rows * golden.hiddenSize * Float.BYTES;
    try (LensHead head = LensHead.load(fixture, LensHeadOptions.defaults());
        LensTranslator translator =
            lens == null
                ? null
                : LensTranslator.load(lens, head.config(), TestModel.NAME, bed.revision)) {
      LensBatch batch =
          LensBatch.of(rows, DType.FLOAT32, n)
              .withLayers(IntStream.range(0, n).map(i -> i / golden.rows).toArray())
              .withFinalRows(
                  rows.slice((golden.layers - 1) * size, size).order(ByteOrder.LITTLE_ENDIAN),
                  IntStream.range(0, n).map(i -> i % golden.rows).toArray());
      return head.decode(
          batch,
          new LensMetrics(
              TOP_K, true, true, 0, true, false, io.lensflow.engine.lens.LensAccuracy.EXACT),
          translator);
    }
  }
}
