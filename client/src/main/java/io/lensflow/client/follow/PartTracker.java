package io.lensflow.client.follow;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which chunks of an attempt have been seen under one lens: sequences 0, 1, 2, …, each of one or
 * more parts. Not thread-safe.
 */
public final class PartTracker {
  /** Far over any attempt; a larger number is damage, and must not become memory. */
  private static final int MAX_SEQUENCE = 1 << 24;

  private static final int MAX_PARTS = 1 << 16;

  private final BitSet whole = new BitSet();
  private final Map<Integer, BitSet> partial = new HashMap<>();

  /**
   * Notes a part.
   *
   * @return false if it was there before, or if its numbers make no sense
   */
  public boolean add(int sequence, int part, int parts) {
    if (sequence < 0
        || sequence > MAX_SEQUENCE
        || parts > MAX_PARTS
        || part < 0
        || part >= parts
        || whole.get(sequence)) {
      return false;
    }
    BitSet seen = partial.computeIfAbsent(sequence, s -> new BitSet(parts));
    if (seen.get(part)) {
      return false;
    }
    seen.set(part);
    if (seen.cardinality() == parts) {
      skip(sequence);
    }
    return true;
  }

  /** Notes that nothing more will come of a sequence. */
  public void skip(int sequence) {
    if (sequence >= 0 && sequence <= MAX_SEQUENCE) {
      whole.set(sequence);
      partial.remove(sequence);
    }
  }

  public boolean isWhole(int sequence) {
    return whole.get(sequence);
  }

  /** Whether sequences 0 … chunks−1 are all whole. */
  public boolean isComplete(int chunks) {
    return whole.nextClearBit(0) >= chunks;
  }

  /** The first few of the sequences 0 … chunks−1 that are not whole. */
  public List<Integer> missing(int chunks, int limit) {
    return java.util.stream.IntStream.range(0, chunks)
        .filter(sequence -> !whole.get(sequence))
        .limit(limit)
        .boxed()
        .toList();
  }
}
