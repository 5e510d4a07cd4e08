package io.lensflow.engine.model;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.model.PassPlanner.Pass;
import io.lensflow.engine.model.PassPlanner.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the tokens of a pass lie side by side as N rows: ids, absolute positions, rows of the pool,
 * and what each sequence attends to. Linear layers see N rows at once; attention goes sequence by
 * sequence. Plain numbers, which every rank brings to its device.
 *
 * <p>Immutable.
 */
final class StepLayout {
  private static final int SCATTERED = -1;

  private final int[] firstRows;
  private final int[] logitRows;
  private final long[] ids;
  private final long[] positions;
  private final long[] poolRows;
  private final long[] headRows;
  private final List<Span> spans = new ArrayList<>();

  /**
   * What one sequence attends to.
   *
   * @param row its first row
   * @param t its rows
   * @param poolStart the row of the pool of the first key that it sees; −1 if they are scattered
   * @param s keys that it sees
   * @param gather rows of the pool [s] if they are scattered, else null
   * @param masked whether the additive mask is more than plainly causal
   * @param window how many positions a token sees, itself included; 0 for all
   */
  record Span(int row, int t, int poolStart, int s, long[] gather, boolean masked, int window) {}

  /**
   * @param window how many positions a token sees, itself included, in layers that have a window;
   *     0 if none has
   * @param spareRow row of the pool for what only fills the pass up
   */
  StepLayout(Pass pass, int window, int spareRow) {
    List<Slice> slices = pass.slices();
    int n = pass.rowCount();
    firstRows = new int[slices.size()];
    logitRows = new int[slices.size()];
    ids = new long[n];
    positions = new long[n];
    poolRows = new long[n];
    Arrays.fill(poolRows, spareRow);
    List<Long> wanted = new ArrayList<>();
    int row = 0;
    for (int i = 0; i < slices.size(); i++) {
      Slice slice = slices.get(i);
      int t = slice.ids().length;
      firstRows[i] = row;
      logitRows[i] = wanted.size();
      for (int j = 0; j < t; j++) {
        ids[row + j] = slice.ids()[j];
        positions[row + j] = slice.position() + j;
        poolRows[row + j] = slice.sequence().poolRow(slice.position() + j);
        if (slice.logits() == Logits.ALL || (slice.logits() != Logits.NONE && j == t - 1)) {
          wanted.add((long) row + j);
        }
      }
      row += t;
    }
    if (row < n && !wanted.isEmpty()) {
      // A filled-up pass sends a fixed number of rows through the head, too.
      while (wanted.size() < n) {
        wanted.add((long) n - 1);
      }
    }
    headRows = wanted.stream().mapToLong(Long::longValue).toArray();
    addSpans(slices, 0);
    if (window > 0) {
      addSpans(slices, window);
    }
  }

  private void addSpans(List<Slice> slices, int window) {
    for (int i = 0; i < slices.size(); i++) {
      Slice slice = slices.get(i);
      int t = slice.ids().length;
      int end = slice.position() + t;
      int start = window == 0 ? 0 : Math.max(0, slice.position() + 1 - window);
      int s = end - start;
      int poolStart = slice.sequence().runStart(start, end);
      boolean windowed = window > 0 && s > window;
      // The one new token of a decode step sees all its keys, a prompt that begins is plainly
      // causal; what lies between needs a mask.
      boolean masked = t > 1 && (s > t || windowed);
      spans.add(
          new Span(
              firstRows[i],
              t,
              poolStart,
              s,
              poolStart == SCATTERED ? gather(slice, start, end) : null,
              masked,
              windowed ? window : 0));
    }
  }

  private static long[] gather(Slice slice, int start, int end) {
    long[] rows = new long[end - start];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = slice.sequence().poolRow(start + i);
    }
    return rows;
  }

  /** The first row of the i-th slice. */
  int firstRow(int i) {
    return firstRows[i];
  }

  /** The i-th slice's first row among those that go through the head. */
  int logitRow(int i) {
    return logitRows[i];
  }

  /** Token ids [N]. */
  long[] ids() {
    return ids;
  }

  /** Absolute positions [N]. */
  long[] positions() {
    return positions;
  }

  /** Rows of the pool [N] that take the new keys and values. */
  long[] poolRows() {
    return poolRows;
  }

  /** Rows that go through the head [M]. */
  long[] headRows() {
    return headRows;
  }

  /** Per sequence what it sees in layers without a window; then, if any has one, in those with. */
  List<Span> spans() {
    return spans;
  }
}
