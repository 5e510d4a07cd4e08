package io.lensflow.decoder.batch;

import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.decoder.lens.LensTable;
import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;

/**
 * One lens to apply to the N rows of one chunk, and what came out so far.
 *
 * <p>The loop makes it, counts its rows and reads its table at the end; in between, the kernel
 * thread fills the table. Only {@link #isDropped} is asked by both at the same time.
 */
public final class LensWork {
  private final LensPlan plan;
  private final Lane lane;
  private final ByteBuffer payload;
  private final int rowBytes;
  private final LensTable table;
  private final BooleanSupplier dropped;
  private int rowsLeft;
  private RuntimeException failure;

  /**
   * @param plan what to compute
   * @param lane with which rows it can share a batch
   * @param payload [N, D], not changed by anyone
   * @param rows N
   * @param k tokens kept per row
   * @param dropped whether nobody wants the result any more; safe to ask from any thread
   */
  public LensWork(
      LensPlan plan, Lane lane, ByteBuffer payload, int rows, int k, BooleanSupplier dropped) {
    this.plan = plan;
    this.lane = lane;
    this.payload = payload;
    this.rowBytes = payload.remaining() / rows;
    this.table = new LensTable(rows, k);
    this.dropped = dropped;
    this.rowsLeft = rows;
  }

  /** What to compute. */
  public LensPlan plan() {
    return plan;
  }

  /** With which rows it can share a batch. */
  public Lane lane() {
    return lane;
  }

  /** Values, complete once {@link #isDone} says so. */
  public LensTable table() {
    return table;
  }

  /** Whether nobody wants the result any more. */
  public boolean isDropped() {
    return dropped.getAsBoolean();
  }

  /** Whether every row has come back. Asked by the loop. */
  public boolean isDone() {
    return rowsLeft == 0;
  }

  /** Why rows could not be decoded; null if they could. Asked by the loop once done. */
  public RuntimeException failure() {
    return failure;
  }

  /** Counts rows that came back. Called by the loop. */
  void settle(int rows) {
    rowsLeft -= rows;
  }

  /** Called by the kernel thread, before the batch goes back. */
  void fail(RuntimeException cause) {
    failure = cause;
  }

  /** Bytes of some of its rows. */
  ByteBuffer rows(int from, int count) {
    return payload.slice(payload.position() + from * rowBytes, count * rowBytes);
  }
}
