package io.lensflow.decoder.batch;

import static io.lensflow.engine.lens.LensMetrics.summary;
import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.decoder.lens.LensTable;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.NormScale;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class RowBatcherTest {
  private static final LensPlan PLAN = plan(1);
  private static final Lane LANE = Lane.of(PLAN, DType.FLOAT32, PLAN.metrics());
  private static final Lane OTHER = Lane.of(PLAN, DType.BFLOAT16, PLAN.metrics());

  private final RowBatcher batcher = new RowBatcher(10, Duration.ofMillis(50));

  @Test
  void shouldWaitWhenNeitherFullNorDue() {
    batcher.add(work(LANE, 9), millis(0));

    assertThat(batcher.poll(millis(49))).isEmpty();
    assertThat(batcher.nanosUntilDue(millis(49))).hasValue(millis(1));
    assertThat(batcher.waitingRows()).isEqualTo(9);
  }

  @Test
  void shouldGiveWhatIsThereWhenDeadlineIsReached() {
    batcher.add(work(LANE, 4), millis(0));
    batcher.add(work(LANE, 3), millis(40));

    RowBatch batch = batcher.poll(millis(50)).orElseThrow();

    assertThat(batch.rows()).isEqualTo(7);
    assertThat(batch.oldestNanos()).isZero();
    assertThat(batcher.nanosUntilDue(millis(50))).isEmpty();
  }

  @Test
  void shouldFillBatchAcrossChunksWhenTargetIsReached() {
    LensWork first = work(LANE, 6);
    LensWork second = work(LANE, 9);
    batcher.add(first, millis(0));
    batcher.add(second, millis(1));

    RowBatch full = batcher.poll(millis(1)).orElseThrow();
    assertThat(full.segments())
        .containsExactly(new RowSegment(first, 0, 6), new RowSegment(second, 0, 4));
    assertThat(batcher.poll(millis(50))).as("the rest arrived at 1 ms").isEmpty();

    RowBatch rest = batcher.poll(millis(51)).orElseThrow();
    assertThat(rest.segments()).containsExactly(new RowSegment(second, 4, 5));
  }

  @Test
  void shouldSettleChunkWhenAllItsBatchesCameBack() {
    LensWork work = work(LANE, 15);
    batcher.add(work, millis(0));

    batcher.poll(millis(0)).orElseThrow().settle();
    assertThat(work.isDone()).isFalse();
    batcher.poll(millis(50)).orElseThrow().settle();
    assertThat(work.isDone()).isTrue();
  }

  @Test
  void shouldNotMixLanesAndServeTheOldestFirst() {
    batcher.add(work(LANE, 10), millis(5));
    batcher.add(work(OTHER, 2), millis(0));

    assertThat(batcher.poll(millis(20)).orElseThrow().lane()).isEqualTo(LANE);
    batcher.add(work(LANE, 10), millis(20));
    assertThat(batcher.poll(millis(50)).orElseThrow().lane()).isEqualTo(OTHER);
    assertThat(batcher.poll(millis(50)).orElseThrow().rows()).isEqualTo(10);
  }

  @Test
  void shouldForgetRowsWhenNobodyWantsThem() {
    AtomicBoolean dropped = new AtomicBoolean();
    batcher.add(work(PLAN, LANE, 6, dropped::get), millis(0));
    LensWork kept = work(LANE, 2);
    batcher.add(kept, millis(1));

    dropped.set(true);
    batcher.forgetDropped();

    assertThat(batcher.waitingRows()).isEqualTo(2);
    assertThat(batcher.poll(millis(51)).orElseThrow().segments())
        .containsExactly(new RowSegment(kept, 0, 2));
  }

  @Test
  void shouldAskForTheLargestKOfItsChunks() {
    batcher.add(work(plan(3), LANE, 6, () -> false), millis(0));
    batcher.add(work(plan(7), LANE, 6, () -> false), millis(0));

    RowBatch batch = batcher.poll(millis(0)).orElseThrow();

    assertThat(RowBatch.metrics(batch.lane(), batch.segments()).topK()).isEqualTo(7);
  }

  @Test
  void shouldKeepRowsApartOnlyWhereOneWouldPayForTheOther() {
    assertThat(lane(summary(1))).isEqualTo(lane(summary(8)));
    assertThat(lane(summary(8))).isNotEqualTo(lane(summary(9)));
    assertThat(lane(summary(0))).isNotEqualTo(lane(summary(1)));
    assertThat(lane(summary(5)))
        .isNotEqualTo(lane(new LensMetrics(5, false, true, 0, false, false, LensAccuracy.EXACT)))
        .isNotEqualTo(lane(summary(5).withAccuracy(LensAccuracy.FAST)));
    LensMetrics kl = new LensMetrics(5, true, true, 0, true, false, LensAccuracy.FAST);
    assertThat(lane(kl)).isEqualTo(lane(kl.withAccuracy(LensAccuracy.EXACT)));
  }

  private static Lane lane(LensMetrics metrics) {
    return Lane.of(PLAN, DType.FLOAT32, metrics);
  }

  private static LensPlan plan(int topK) {
    return new LensPlan(Lens.LOGIT, summary(topK), List.of(), List.of(), NormScale.OWN, Set.of());
  }

  private static LensWork work(Lane lane, int rows) {
    return work(PLAN, lane, rows, () -> false);
  }

  private static LensWork work(LensPlan plan, Lane lane, int rows, BooleanSupplier dropped) {
    return new LensWork(
        plan,
        TestChunks.rows(rows),
        new LensTable(rows, plan.metrics(), List.of()),
        List.of(new LensWork.Part(lane, 0, rows)),
        dropped);
  }

  private static long millis(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
