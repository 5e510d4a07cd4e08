package io.lensflow.worker.scheduling;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The runs of a worker: those that wait, those that move on together, and those whose sequences are
 * to be closed. Not thread-safe: owned by the scheduler.
 */
final class Batch {
  private final int slots;
  private final Deque<Generation> waiting = new ArrayDeque<>();
  private final Map<Long, Generation> running = new LinkedHashMap<>();
  private final Map<String, String> cancelled = new HashMap<>();
  private final List<Long> toClose = new ArrayList<>();

  /** The waiting run that the engine had no room for; null if none had to wait for that. */
  private Generation shortOfRoom;

  /**
   * @param slots most runs that move on together
   */
  Batch(int slots) {
    this.slots = slots;
  }

  /**
   * A run that ends before it has come to its end.
   *
   * @param cancelReason reason of its cancellation, maybe empty; null if it is late
   */
  record Stopped(Generation generation, String cancelReason) {}

  void add(Generation generation) {
    waiting.add(generation);
  }

  /** Runs that move on, in the order in which they joined. */
  Collection<Generation> running() {
    return running.values();
  }

  int waitingCount() {
    return waiting.size();
  }

  /** A running run by its sequence, null if there is none. */
  Generation running(long sequence) {
    return running.get(sequence);
  }

  /**
   * Takes from the waiting those that may join now, in their order. A run on its last attempt joins
   * nobody, and nobody joins it. Nobody overtakes a run that there was no room for: it joins first
   * once another has left, so that every run joins in the end, however long it is.
   *
   * <p>None joins before it is {@linkplain Generation#isAnnounced announced}.
   */
  List<Generation> takeJoining() {
    List<Generation> joining =
        eligible().stream().takeWhile(Generation::isAnnounced).collect(Collectors.toList());
    joining.forEach(one -> waiting.remove());
    return joining;
  }

  /** Those that may join as soon as they are announced; each is handed out once. */
  List<Generation> takeUnannounced() {
    return eligible().stream().filter(Generation::takeAnnouncement).toList();
  }

  /** The first of the waiting, as far as there is a place for them. */
  private List<Generation> eligible() {
    List<Generation> eligible = new ArrayList<>();
    boolean alone = running.values().stream().anyMatch(g -> g.run().last());
    for (Generation next : waiting) {
      int active = running.size() + eligible.size();
      if (alone || next == shortOfRoom || active >= slots || (next.run().last() && active > 0)) {
        break;
      }
      alone = next.run().last();
      eligible.add(next);
    }
    return eligible;
  }

  /** Those that found no place go back in front, in the old order. */
  void putBack(List<Generation> unplaced) {
    for (int i = unplaced.size() - 1; i >= 0; i--) {
      waiting.addFirst(unplaced.get(i));
    }
  }

  void join(Generation generation) {
    running.put(generation.sequence(), generation);
  }

  /** A run leaves; its sequence is to be closed, and there may be room again. */
  void leave(Generation generation) {
    running.remove(generation.sequence());
    toClose.add(generation.sequence());
    cancelled.remove(generation.run().requestId());
    shortOfRoom = null;
  }

  /**
   * The engine had no room for runs that joined. They wait in front of all others, in their order,
   * until one leaves.
   *
   * @return those that wait for nothing, since no other run holds room: they never will fit
   */
  List<Generation> waitForRoom(List<Generation> refused) {
    refused.forEach(one -> running.remove(one.sequence()));
    if (refused.isEmpty()) {
      return List.of();
    }
    boolean alone = running.isEmpty() && toClose.isEmpty();
    List<Generation> patient = alone ? refused.subList(1, refused.size()) : refused;
    putBack(patient);
    if (!alone && toClose.isEmpty()) {
      shortOfRoom = patient.get(0);
    }
    return alone ? List.of(refused.get(0)) : List.of();
  }

  /** Forgets a run that was never opened. */
  void drop(Generation generation) {
    running.remove(generation.sequence());
    cancelled.remove(generation.run().requestId());
  }

  /** Sequences to be closed, each handed out once. */
  List<Long> takeClosing() {
    List<Long> closing = List.copyOf(toClose);
    toClose.clear();
    return closing;
  }

  /** Notes that a request is to be stopped; returns whether it is here. */
  boolean cancel(String requestId, String reason) {
    boolean here =
        Stream.concat(waiting.stream(), running.values().stream())
            .anyMatch(g -> g.run().requestId().equals(requestId));
    if (here) {
      cancelled.put(requestId, reason);
    }
    return here;
  }

  /** Removes an attempt, wherever it is. */
  void discard(String attemptId) {
    for (Generation one : List.copyOf(waiting)) {
      if (one.run().attemptId().equals(attemptId)) {
        waiting.remove(one);
        cancelled.remove(one.run().requestId());
      }
    }
    List.copyOf(running.values()).stream()
        .filter(g -> g.run().attemptId().equals(attemptId))
        .forEach(this::leave);
  }

  /** Removes what was cancelled and what has passed its deadline. */
  List<Stopped> takeStopped(Instant now) {
    List<Stopped> stopped = new ArrayList<>();
    for (Generation one : Stream.concat(waiting.stream(), running.values().stream()).toList()) {
      String reason = cancelled.remove(one.run().requestId());
      if (reason != null || now.isAfter(one.run().request().deadline())) {
        stopped.add(new Stopped(one, reason));
        if (!waiting.remove(one)) {
          leave(one);
        }
      }
    }
    return stopped;
  }

  /** The engine is gone, and all that ran with it; what waits goes on waiting. */
  List<Generation> takeLost() {
    List<Generation> lost = List.copyOf(running.values());
    running.clear();
    toClose.clear();
    shortOfRoom = null;
    return lost;
  }
}
