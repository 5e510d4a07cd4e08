package io.lensflow.decoder.batch;

import io.lensflow.decoder.chunk.ChunkRows;
import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.decoder.lens.LensTable;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * One lens to apply to the N rows of one chunk, and what came out so far.
 *
 * <p>The loop makes it, counts its rows and reads its table at the end; in between, the kernel
 * thread fills the table. Only {@link #isDropped} is asked by both at the same time.
 */
public final class LensWork {
  private final LensPlan plan;
  private final ChunkRows rows;
  private final LensTable table;
  private final List<Part> parts;
  private final BooleanSupplier dropped;
  private int rowsLeft;
  private RuntimeException failure;

  /**
   * Rows of a chunk that are decoded alike.
   *
   * @param lane with which rows they can share a batch
   * @param from first row
   * @param to row after the last
   */
  record Part(Lane lane, int from, int to) {
    int rows() {
      return to - from;
    }
  }

  /**
   * @param plan what to compute
   * @param rows the chunk's rows
   * @param table for all N of them
   * @param parts rows that go through the head; none where the table needs no head
   * @param dropped whether nobody wants the result any more; safe to ask from any thread
   */
  LensWork(
      LensPlan plan, ChunkRows rows, LensTable table, List<Part> parts, BooleanSupplier dropped) {
    this.plan = plan;
    this.rows = rows;
    this.table = table;
    this.parts = List.copyOf(parts);
    this.dropped = dropped;
    this.rowsLeft = parts.stream().mapToInt(Part::rows).sum();
  }

  /** What to compute. */
  public LensPlan plan() {
    return plan;
  }

  /** The chunk's rows. */
  ChunkRows rows() {
    return rows;
  }

  /** Which rows go through the head, and with which others. */
  List<Part> parts() {
    return parts;
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
  void settle(int count) {
    rowsLeft -= count;
  }

  /** Called by the kernel thread, before the batch goes back. */
  void fail(RuntimeException cause) {
    failure = cause;
  }

  /** Fills in a target's id for T targets of a row: the next token first, −1 beyond them. */
  void targets(int row, int[] into, int at, int targetsPerRow) {
    int asked = plan.metrics().targetsPerRow();
    for (int i = 0; i < targetsPerRow; i++) {
      into[at + i] =
          i >= asked
              ? -1
              : i == 0 ? rows.nextTokenId(rows.positionIndex(row)) : plan.targetIds().get(i - 1);
    }
  }
}
