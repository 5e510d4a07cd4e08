package io.lensflow.decoder.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.records.ActivationChunk;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class KernelThreadTest {
  private final RowBatcher batcher = new RowBatcher(64, Duration.ZERO);

  @Test
  void shouldGiveEachChunkItsOwnRows() throws Exception {
    LensWork first = work(TestChunks.chunk("a", 0, 0));
    LensWork second = work(TestChunks.chunk("b", 0, 0, 1));
    try (KernelThread kernel = KernelThread.start(TestModel::new, 64, 1)) {
      decode(kernel, first, second);
    }
    assertThat(first.table().topLogit(2, 0)).isEqualTo(3.002f);
    assertThat(first.table().topId(2, 0)).isEqualTo(1);
    assertThat(second.table().topId(5, 0)).isEqualTo(2);
    assertThat(second.table().logSumExp(5)).isEqualTo(TestModel.logSumExp(TestChunks.logits(5)));
  }

  @Test
  void shouldRefuseOnlyTheChunkAtFaultWhenABatchFails() throws Exception {
    LensWork good = work(TestChunks.chunk("a", 0, 0));
    LensWork bad = work(TestChunks.withValue(TestChunks.chunk("b", 0, 0), 1, TestModel.POISON));
    try (KernelThread kernel = KernelThread.start(TestModel::new, 64, 1)) {
      decode(kernel, good, bad);
      assertThat(kernel.failure()).isNull();
    }
    assertThat(good.failure()).isNull();
    assertThat(good.table().topLogit(0, 0)).isEqualTo(3f);
    assertThat(bad.failure()).hasMessage("poison");
  }

  @Test
  void shouldStopAndRefuseNothingWhenTheDeviceIsBroken() throws Exception {
    TestModel model = new TestModel();
    LensWork work = work(TestChunks.chunk("a", 0, 0));
    try (KernelThread kernel = KernelThread.start(() -> model, 64, 1)) {
      model.breakDown();
      batcher.add(work, 0);
      kernel.offer(batcher.poll(0).orElseThrow());
      while (kernel.failure() == null) {
        LockSupport.parkNanos(100_000);
      }
      assertThat(kernel.takeFinished()).isNull();
    }
    assertThat(work.failure()).isNull();
  }

  @Test
  void shouldTakeNoMoreThanItsQueueHolds() throws Exception {
    CountDownLatch decoding = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    RowDecoder slow = new BlockingDecoder(decoding, release);
    try (KernelThread kernel = KernelThread.start(() -> slow, 64, 1)) {
      assertThat(kernel.offer(batch())).isTrue();
      decoding.await();
      assertThat(kernel.hasRoom()).isTrue();
      assertThat(kernel.offer(batch())).isTrue();
      assertThat(kernel.hasRoom()).isFalse();
      assertThat(kernel.offer(batch())).isFalse();
      assertThat(kernel.inFlight()).isEqualTo(2);
      release.countDown();
    }
  }

  @Test
  void shouldSayWhyWhenTheHeadCannotBeLoaded() {
    assertThatThrownBy(
            () ->
                KernelThread.start(
                    () -> {
                      throw new IOException("model.safetensors is missing");
                    },
                    64,
                    1))
        .isInstanceOf(IOException.class)
        .hasMessage("model.safetensors is missing");
  }

  private RowBatch batch() {
    batcher.add(work(TestChunks.chunk("x", 0, 0)), 0);
    return batcher.poll(0).orElseThrow();
  }

  private void decode(KernelThread kernel, LensWork... works) {
    for (LensWork work : works) {
      batcher.add(work, 0);
    }
    assertThat(kernel.offer(batcher.poll(0).orElseThrow())).isTrue();
    RowBatch finished = kernel.takeFinished();
    while (finished == null) {
      LockSupport.parkNanos(100_000);
      finished = kernel.takeFinished();
    }
    finished.settle();
    assertThat(works).allMatch(LensWork::isDone);
  }

  private static LensWork work(ActivationChunk chunk) {
    return TestChunks.planner().plan(chunk, () -> false).works().get(0);
  }

  /** Says that it decodes, then waits for leave. */
  private record BlockingDecoder(CountDownLatch decoding, CountDownLatch release)
      implements RowDecoder {
    @Override
    public ModelConfig config() {
      return TestModel.shape();
    }

    @Override
    public String revision() {
      return TestModel.REVISION;
    }

    @Override
    public LensAccuracy fastest() {
      return LensAccuracy.EXACT;
    }

    @Override
    public LensRows decode(LensBatch batch, LensMetrics metrics, LensTranslator translator) {
      decoding.countDown();
      try {
        release.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      return new TestModel().decode(batch, metrics, translator);
    }

    @Override
    public void close() {}
  }
}
