package io.lensflow.engine.model;

import io.lensflow.engine.model.StepLayout.Span;
import java.util.Arrays;
import java.util.List;

/**
 * Collects sequences of one new token that lie in the pool at equal distances, so that one strided
 * view holds the keys of all. The view is as long as the longest of them: each must own the pool
 * that far, so that nothing of another sequence is ever read, and none may be much shorter, since
 * what is masked is computed all the same.
 *
 * <p>Not thread-safe.
 */
final class SpanGroup {
  /** The shortest sequence is at least the longest divided by this. */
  private static final int MOST_UNEVEN = 2;

  private final List<Span> spans;
  private int row;
  private int poolStart;
  private int distance;
  private long[] lengths = new long[0];
  private long longest;
  private long shortest;
  private long leastOwned;

  /**
   * @param spans where groups go when they are complete
   */
  SpanGroup(List<Span> spans) {
    this.spans = spans;
  }

  /**
   * Adds the next sequence, or begins a new group with it.
   *
   * @param nextRow its row
   * @param start the row of the pool of its first key
   * @param s its keys
   * @param owned rows of the pool from {@code start} on that are its own
   */
  void add(int nextRow, int start, int s, int owned) {
    if (!fits(start, s, owned)) {
      finish();
    }
    if (lengths.length == 0) {
      row = nextRow;
      poolStart = start;
      longest = s;
      shortest = s;
      leastOwned = owned;
    } else {
      distance = start - last();
      longest = Math.max(longest, s);
      shortest = Math.min(shortest, s);
      leastOwned = Math.min(leastOwned, owned);
    }
    lengths = Arrays.copyOf(lengths, lengths.length + 1);
    lengths[lengths.length - 1] = s;
  }

  private int last() {
    return poolStart + distance * (lengths.length - 1);
  }

  private boolean fits(int start, int s, int owned) {
    return lengths.length > 0
        && start > last()
        && (lengths.length == 1 || start - last() == distance)
        && Math.max(longest, s) <= Math.min(leastOwned, owned)
        && Math.max(longest, s) <= MOST_UNEVEN * Math.min(shortest, s);
  }

  /** Completes the group. */
  void finish() {
    if (lengths.length > 0) {
      boolean masked = longest > shortest;
      spans.add(new Span(row, 1, poolStart, lengths, distance, null, masked, 0));
      lengths = new long[0];
      distance = 0;
    }
  }
}
