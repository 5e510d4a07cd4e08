package io.lensflow.client.follow;

import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Puts an attempt's records under one lens into the order of their sequences and parts, each once.
 * The decoder writes them in that order, so that normally nothing waits here. Not thread-safe.
 */
public final class InOrder<T> {
  private record Place(int sequence, int part) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int bySequence = Integer.compare(sequence, other.sequence);
      return bySequence != 0 ? bySequence : Integer.compare(part, other.part);
    }
  }

  private record Waiting<T>(T value, int bytes) {}

  private final PartTracker tracker = new PartTracker();
  private final TreeMap<Place, Waiting<T>> waiting = new TreeMap<>();
  private final Consumer<T> out;
  private int sequence;
  private int part;
  private long waitingBytes;

  public InOrder(Consumer<T> out) {
    this.out = out;
  }

  /** Takes a record and hands on all that is now in order; a duplicate is dropped. */
  public void offer(int sequence, int part, int parts, T value, int bytes) {
    if (!tracker.add(sequence, part, parts)) {
      return;
    }
    waiting.put(new Place(sequence, part), new Waiting<>(value, bytes));
    waitingBytes += bytes;
    release();
  }

  /** Goes on without a sequence: it is lost. */
  public void skip(int sequence) {
    tracker.skip(sequence);
    release();
  }

  private void release() {
    while (true) {
      Waiting<T> next = waiting.remove(new Place(sequence, part));
      if (next != null) {
        waitingBytes -= next.bytes();
        out.accept(next.value());
        part++;
      } else if (tracker.isWhole(sequence)) {
        dropPartsOf(sequence);
        sequence++;
        part = 0;
      } else {
        return;
      }
    }
  }

  /** Parts that wait for an earlier one of a sequence that was given up meanwhile. */
  private void dropPartsOf(int sequence) {
    var parts = waiting.headMap(new Place(sequence + 1, 0));
    parts.values().forEach(dropped -> waitingBytes -= dropped.bytes());
    parts.clear();
  }

  public PartTracker tracker() {
    return tracker;
  }

  /** Bytes that wait for an earlier sequence. */
  public long waitingBytes() {
    return waitingBytes;
  }
}
