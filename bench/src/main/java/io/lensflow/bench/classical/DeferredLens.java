package io.lensflow.bench.classical;

import io.lensflow.bench.workload.Decoding;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The lens as this system runs it, without Kafka between: rows are set aside while tokens are
 * generated, each once, and go through the head when there are enough of them for a batch.
 *
 * <p>Not thread-safe: engine and head share one thread here.
 */
public final class DeferredLens implements Decoding.Observer {
  private final LensHead head;
  private final int topK;
  private final int batchRows;
  private final Listener listener;
  private final List<CapturedRows> waiting = new ArrayList<>();
  private int waitingRows;
  private long nanos;

  /** Hears what the lens says. */
  @FunctionalInterface
  public interface Listener {
    /** Does not listen. */
    Listener NONE = (rows, lens, first) -> {};

    /**
     * @param rows rows of one step, [layers, positions]
     * @param lens what it says about a batch
     * @param first index in {@code lens} of the first of {@code rows}
     */
    void decoded(CapturedRows rows, LensRows lens, int first);
  }

  /**
   * @param batchRows rows that make a batch
   */
  public DeferredLens(LensHead head, int topK, int batchRows, Listener listener) {
    this.head = head;
    this.topK = topK;
    this.batchRows = batchRows;
    this.listener = listener;
  }

  @Override
  public void accept(int sequence, int[] consumed, Integer next, StepOutput output) {
    for (CapturedRows rows : output.rows()) {
      waiting.add(rows);
      waitingRows += count(rows);
    }
    if (waitingRows >= batchRows) {
      flush();
    }
  }

  /** Decodes what is waiting. */
  public void flush() {
    if (waitingRows == 0) {
      return;
    }
    long start = System.nanoTime();
    CapturedRows any = waiting.get(0);
    ByteBuffer batch = any.payload();
    if (waiting.size() > 1) {
      int bytes = waitingRows * any.hiddenSize() * any.dtype().bytes();
      batch = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      for (CapturedRows rows : waiting) {
        batch.put(rows.payload().duplicate());
      }
      batch.flip();
    }
    LensRows lens =
        head.decode(LensBatch.of(batch, any.dtype(), waitingRows), LensMetrics.summary(topK));
    int first = 0;
    for (CapturedRows rows : waiting) {
      listener.decoded(rows, lens, first);
      first += count(rows);
    }
    waiting.clear();
    waitingRows = 0;
    nanos += System.nanoTime() - start;
  }

  /** Seconds spent in decoding so far. */
  public double seconds() {
    return nanos * 1e-9;
  }

  private static int count(CapturedRows rows) {
    return rows.layers().length * rows.positions().length;
  }
}
