package io.lensflow.worker.scheduling;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/** The runs of one lane that wait to join, in their order. Not thread-safe. */
final class WaitingRuns implements Iterable<Generation> {
  private final int places;
  private final Deque<Generation> runs = new ArrayDeque<>();

  /** The waiting run that the engine had no room for; null if none had to wait for that. */
  private Generation shortOfRoom;

  /**
   * @param places most runs of the lane that move on together
   */
  WaitingRuns(int places) {
    this.places = places;
  }

  /** Most runs of the lane that move on together. */
  int places() {
    return places;
  }

  void add(Generation generation) {
    runs.add(generation);
  }

  /** Takes it out; returns whether it was there. */
  boolean remove(Generation generation) {
    if (generation == shortOfRoom) {
      shortOfRoom = null;
    }
    return runs.remove(generation);
  }

  /** Those that found no place go back in front, in the old order. */
  void putBack(List<Generation> unplaced) {
    for (int i = unplaced.size() - 1; i >= 0; i--) {
      runs.addFirst(unplaced.get(i));
    }
  }

  int size() {
    return runs.size();
  }

  @Override
  public Iterator<Generation> iterator() {
    return runs.iterator();
  }

  /** The first one; null if none waits. */
  Generation first() {
    return runs.peek();
  }

  /** There was no room for this one. */
  void shortOfRoom(Generation generation) {
    shortOfRoom = generation;
  }

  /** There may be room again. */
  void roomAgain() {
    shortOfRoom = null;
  }

  /** Whether one of them waits for room. */
  boolean isShortOfRoom() {
    return shortOfRoom != null;
  }

  boolean isShortOfRoom(Generation generation) {
    return generation == shortOfRoom;
  }
}
