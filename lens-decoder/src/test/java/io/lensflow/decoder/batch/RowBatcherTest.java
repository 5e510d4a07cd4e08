package io.lensflow.decoder.batch;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class RowBatcherTest {
  private static final Lane LANE = new Lane("logit", DType.FLOAT32);
  private static final Lane OTHER = new Lane("logit", DType.BFLOAT16);

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
    batcher.add(new LensWork(PLAN, LANE, ByteBuffer.allocate(6), 6, 1, dropped::get), millis(0));
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
    batcher.add(new LensWork(PLAN, LANE, ByteBuffer.allocate(6), 6, 3, () -> false), millis(0));
    batcher.add(new LensWork(PLAN, LANE, ByteBuffer.allocate(6), 6, 7, () -> false), millis(0));

    assertThat(batcher.poll(millis(0)).orElseThrow().k()).isEqualTo(7);
  }

  private static final LensPlan PLAN = new LensPlan("logit", 1, true, true, Set.of());

  private static LensWork work(Lane lane, int rows) {
    return new LensWork(PLAN, lane, ByteBuffer.allocate(rows * 4), rows, 1, () -> false);
  }

  private static long millis(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
