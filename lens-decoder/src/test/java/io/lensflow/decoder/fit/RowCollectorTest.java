package io.lensflow.decoder.fit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.log.LogRange;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.fit.PairedRows;
import io.lensflow.engine.lens.fit.TranslatorFit;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.AppliedSteering;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RowCollectorTest {
  private int maxHeldOutRows = 1000;
  private final TranslatorFit fit = new TranslatorFit(TestModel.SIZE, 1);

  @AfterEach
  void close() {
    fit.close();
  }

  @Test
  void shouldCountEachPositionOnceAndNeverPositionZero() {
    RowCollector rows = collector(0, false);
    rows.take(TestChunks.chunk("a", 0, 0, 1, 2));
    rows.take(TestChunks.chunk("a", 1, 3));
    ActivationChunk again = TestChunks.chunk("a", 0, 0, 1, 2);
    again.setAttemptId("second");
    rows.take(again);

    assertThat(rows.rows()).isEqualTo(3);
    assertThat(fit.rows(0)).isEqualTo(3);
    assertThat(fit.rows(1)).isEqualTo(3);
    assertThat(fit.rows(2)).as("the target").isZero();
    assertThat(rows.trainingRequests()).isEqualTo(1);
    assertThat(rows.counts(7)).isEqualTo(new FitCounts(3, 1, 0, 0, 0, 7));
  }

  @Test
  void shouldSendWholeRequestsToOneSideAndTheSameUnderTheSameSeed() {
    Set<String> heldOut = heldOut(collector(0.5, false));

    assertThat(heldOut).hasSizeBetween(5, 35);
    assertThat(heldOut(collector(0.5, false))).isEqualTo(heldOut);
    assertThat(IntStream.range(0, 10_000).filter(i -> split(i, 3)).count()).isBetween(900L, 1_100L);
    assertThat(IntStream.range(0, 1_000).filter(i -> split(i, 3) != split(i, 4)).count())
        .isGreaterThan(100);
  }

  private static boolean split(int request, long seed) {
    return new RequestSplit(0.1, seed).isHeldOut("request-" + request);
  }

  private Set<String> heldOut(RowCollector rows) {
    Set<String> heldOut = new TreeSet<>();
    for (int i = 0; i < 40; i++) {
      int before = rows.heldOut().rows().size();
      rows.take(TestChunks.chunk("request-" + i, 0, 1, 2));
      rows.take(TestChunks.chunk("request-" + i, 1, 3));
      int more = rows.heldOut().rows().size() - before;
      assertThat(more).isIn(0, 2);
      if (more == 2) {
        heldOut.add("request-" + i);
      }
    }
    assertThat(rows.heldOut().requests()).isEqualTo(heldOut.size());
    assertThat(rows.trainingRequests()).isEqualTo(40 - heldOut.size());
    return heldOut;
  }

  @Test
  void shouldLeaveOutSteeredRequestsUnlessAskedForThem() {
    ActivationChunk steered = TestChunks.chunk("a", 0, 1);
    steered.setSteering(List.of(new AppliedSteering()));
    RowCollector without = collector(0, false);
    without.take(steered);
    assertThat(without.rows()).isZero();
    assertThat(without.counts(0).steered()).isEqualTo(1);

    RowCollector with = collector(0, true);
    with.take(steered);
    assertThat(with.rows()).isEqualTo(1);
  }

  @Test
  void shouldLeaveOutWhatWouldSpoilTheSums() {
    RowCollector rows = collector(0, false);
    rows.take(TestChunks.withValue(TestChunks.chunk("a", 0, 1), 0, Float.NaN));
    ActivationChunk damaged = TestChunks.chunk("b", 0, 1);
    damaged.setCrc32c(damaged.getCrc32c() ^ 1);
    rows.take(damaged);
    ActivationChunk foreign = TestChunks.chunk("c", 0, 1);
    foreign.setRevision("another");
    rows.take(foreign);

    assertThat(rows.rows()).isZero();
    assertThat(rows.counts(0).refused()).isEqualTo(3);
  }

  @Test
  void shouldKeepNoMoreHeldOutRowsThanItIsTold() {
    maxHeldOutRows = 5;
    RowCollector rows = collector(1, false);
    for (int i = 0; i < 4; i++) {
      rows.take(TestChunks.chunk("request-" + i, 0, 1, 2));
    }

    assertThat(rows.heldOut().rows()).extracting(PairedRows::n).containsExactly(2, 2);
    assertThat(rows.heldOut().requests()).isEqualTo(2);
    assertThat(rows.rows()).isEqualTo(8);
  }

  private RowCollector collector(double heldOut, boolean steered) {
    Checkpoint checkpoint =
        new Checkpoint(
            TestModel.NAME, TestModel.REVISION, TestModel.TOKENIZER_HASH, TestModel.shape());
    FitPlan plan =
        new FitPlan(
            "tuned",
            TestModel.NAME,
            Path.of("."),
            HookPoint.RESIDUAL_POST,
            100,
            heldOut,
            3,
            steered,
            LogRange.kept(),
            Duration.ZERO,
            1,
            maxHeldOutRows,
            Path.of("."));
    return new RowCollector(plan, checkpoint, new TreeSet<>(Set.of(0, 1)), fit);
  }
}
