package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The loop turn by turn. */
@Timeout(30)
class DecodeLoopTest extends LoopStage {
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
}
