package io.lensflow.engine.model;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.model.PassPlanner.Pass;
import io.lensflow.engine.model.PassPlanner.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How the tokens of a pass lie side by side as N rows: ids, absolute positions, rows of the pool,
 * and what each sequence attends to. Linear layers see N rows at once; attention goes sequence by
 * sequence. Plain numbers, which every rank brings to its device.
 *
 * <p>Sequences of one new token come first, in the order of their places in the pool: those that
 * lie there at equal distances, as sequences of equal size do, are attended to at once.
 *
 * <p>Immutable.
 */
final class StepLayout {
  private final List<Slice> slices;
  private final int[] firstRows;
  private final int[] logitRows;
  private final long[] ids;
  private final long[] positions;
  private final long[] poolRows;
  private final long[] headRows;
  private final long[] clears;
  private final long[] copiesFrom;
  private final long[] copiesTo;
  private final List<Span> spans = new ArrayList<>();
  private final long[] bounds;

  /**
   * What one sequence attends to, or several of one new token each.
   *
   * @param row the first row
   * @param t rows of one sequence
   * @param poolStart the row of the pool of the first key that it sees; −1 if they are scattered
   * @param lengths keys that each sequence sees
   * @param distance between the sequences' first keys in the pool
   * @param gather rows of the pool [s] if they are scattered, else null
   * @param masked whether the additive mask is more than plainly causal
   * @param window how many positions a token sees, itself included; 0 for all
   */
  record Span(
      int row,
      int t,
      int poolStart,
      long[] lengths,
      int distance,
      long[] gather,
      boolean masked,
      int window) {
    /** Keys, the most that a sequence sees. */
    int s() {
      return (int) Arrays.stream(lengths).max().orElseThrow();
    }
  }

  /**
   * @param window how many positions a token sees, itself included, in layers that have a window; 0
   *     if none has
   * @param spareRow row of the pool for what only fills the pass up
   * @param together whether sequences may be attended to at once
   */
  StepLayout(Pass pass, int window, int spareRow, boolean together) {
    slices = pass.slices();
    int n = pass.rowCount();
    firstRows = new int[slices.size()];
    logitRows = new int[slices.size()];
    ids = new long[n];
    positions = new long[n];
    poolRows = new long[n];
    Arrays.fill(poolRows, spareRow);
    List<Long> wanted = new ArrayList<>();
    List<Long> cleared = new ArrayList<>();
    int[] order = order(together);
    int row = 0;
    for (int i : order) {
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
      if (slice.position() == slice.sequence().begin()) {
        slice.sequence().runs().forEach(run -> addTokens(run, cleared));
      }
      row += t;
    }
    // A filled-up pass sends a fixed number of rows through the head, too.
    while (pass.filled() && !wanted.isEmpty() && wanted.size() < n) {
      wanted.add((long) n - 1);
    }
    headRows = wanted.stream().mapToLong(Long::longValue).toArray();
    clears = cleared.stream().mapToLong(Long::longValue).toArray();
    Map<Integer, Integer> copies = copies();
    copiesFrom = copies.values().stream().mapToLong(Integer::longValue).toArray();
    copiesTo = copies.keySet().stream().mapToLong(Integer::longValue).toArray();
    addSpans(order, 0, together);
    int all = spans.size();
    if (window > 0) {
      addSpans(order, window, together);
    }
    bounds = new long[] {0, all, spans.size()};
  }

  /** Slices in the order of their rows. */
  private int[] order(boolean together) {
    IntStream all = IntStream.range(0, slices.size());
    if (!together) {
      return all.toArray();
    }
    return all.boxed()
        .sorted(
            Comparator.<Integer, Boolean>comparing(i -> slices.get(i).ids().length > 1)
                .thenComparing(i -> slices.get(i).sequence().poolRow(0)))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /**
   * Rows of the pool that are copied: to, from. All are read before any is written; so where a
   * source's own rows are copied in this pass, theirs are taken from where these come from.
   */
  private Map<Integer, Integer> copies() {
    Map<Integer, Integer> copies = new LinkedHashMap<>();
    for (Slice slice : slices) {
      RunningSequence sequence = slice.sequence();
      for (int at = 0; sequence.source() != null && at < sequence.begin(); at++) {
        int from = sequence.source().poolRow(at);
        copies.put(sequence.poolRow(at), copies.getOrDefault(from, from));
      }
    }
    return copies;
  }

  private static void addTokens(KvBlocks.Run run, List<Long> runs) {
    runs.add((long) run.first() * KvBlocks.BLOCK_TOKENS);
    runs.add((long) run.count() * KvBlocks.BLOCK_TOKENS);
  }

  private void addSpans(int[] order, int window, boolean together) {
    SpanGroup group = new SpanGroup(spans);
    for (int i : order) {
      Slice slice = slices.get(i);
      int t = slice.ids().length;
      int end = slice.position() + t;
      int start = window == 0 ? 0 : Math.max(0, slice.position() + 1 - window);
      int s = end - start;
      int poolStart = slice.sequence().runStart(start, end);
      if (together && t == 1 && poolStart >= 0) {
        group.add(firstRows[i], poolStart, s, slice.sequence().runLength(start));
        continue;
      }
      group.finish();
      boolean windowed = window > 0 && s > window;
      // The one new token of a decode step sees all its keys, a prompt that begins is plainly
      // causal; what lies between needs a mask.
      boolean masked = t > 1 && (s > t || windowed);
      long[] gather = poolStart >= 0 ? null : gather(slice, start, end);
      spans.add(
          new Span(
              firstRows[i],
              t,
              poolStart,
              new long[] {s},
              0,
              gather,
              masked,
              windowed ? window : 0));
    }
    group.finish();
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

  /**
   * Runs of the pool, first row and count, to be cleared before the pass: what another sequence
   * left there is never to be read, not even to be masked, since NaN survives a mask.
   */
  long[] clears() {
    return clears;
  }

  /** Rows of the pool whose keys and values are copied once the pass has written its own. */
  long[] copiesFrom() {
    return copiesFrom;
  }

  /** Where they go, as many. */
  long[] copiesTo() {
    return copiesTo;
  }

  /** What is attended to in layers without a window; then, if any has one, in those with. */
  List<Span> spans() {
    return spans;
  }

  /** Where the spans of each kind begin, and where the last end. */
  long[] bounds() {
    return bounds;
  }
}
