package io.lensflow.worker.intake;

import java.util.TreeMap;

/**
 * The requests taken from one partition in one assignment: which of them have ended, and up to
 * where all have. Only that prefix may be committed, since requests end in any order. Not
 * thread-safe.
 */
final class FinishedPrefix {
  private final TreeMap<Long, Boolean> taken = new TreeMap<>();
  private long committable;

  /**
   * @param firstOffset offset at which the assignment starts to read
   */
  FinishedPrefix(long firstOffset) {
    this.committable = firstOffset;
  }

  /** A request was taken; offsets come in rising order. */
  void take(long offset) {
    taken.put(offset, false);
  }

  /** A request has ended. */
  void finish(long offset) {
    if (taken.replace(offset, true) != null) {
      while (!taken.isEmpty() && taken.firstEntry().getValue()) {
        committable = taken.pollFirstEntry().getKey() + 1;
      }
    }
  }

  /** Next offset to read after a restart: everything before it has ended. */
  long committable() {
    return committable;
  }
}
