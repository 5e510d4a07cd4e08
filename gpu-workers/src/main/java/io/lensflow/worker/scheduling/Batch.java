package io.lensflow.worker.scheduling;

import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.request.Lane;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The runs of a worker: those that wait, those that move on together, and those that have ended but
 * whose sequences are still open. Not thread-safe: owned by the scheduler.
 *
 * <p>Of the two lanes the interactive one joins first. A run of the batch lane joins only within
 * its lane's part of the pool of keys and values, and not while an interactive one waits for room;
 * but one that was held up for longer than the lane's patience has its turn before all others.
 */
final class Batch {
  private final WaitingRuns interactive;
  private final WaitingRuns mayWait;
  private final BatchLane lane;
  private final Map<Long, Generation> running = new LinkedHashMap<>();
  private final Map<String, String> cancelled = new HashMap<>();
  private final EndedSequences ended;

  /** Attempts that have left, and whose ends are not yet durable. */
  private final Set<String> ending = new HashSet<>();

  private BatchRoom room = new BatchRoom(Integer.MAX_VALUE);

  /**
   * @param slots most interactive runs that move on together
   * @param lane limits of the batch lane
   * @param prefixShare part of the pool that ended sequences may go on holding, so that prompts may
   *     begin with their tokens
   */
  Batch(int slots, BatchLane lane, double prefixShare) {
    this.interactive = new WaitingRuns(slots);
    this.mayWait = new WaitingRuns(lane.slots());
    this.lane = lane;
    this.ended = new EndedSequences(prefixShare);
  }

  /**
   * A run that ends before it has come to its end.
   *
   * @param cancelReason reason of its cancellation, maybe empty; null if it is late
   */
  record Stopped(Generation generation, String cancelReason) {}

  /** The engine's pool holds so many tokens. */
  void kvTokens(int tokens) {
    room = lane.room(tokens);
    ended.kvTokens(tokens);
  }

  void add(Generation generation) {
    waiting(generation).add(generation);
  }

  private WaitingRuns waiting(Generation generation) {
    return waiting(generation.run().lane());
  }

  private WaitingRuns waiting(Lane of) {
    return of == Lane.BATCH ? mayWait : interactive;
  }

  /** Runs that move on, in the order in which they joined. */
  Collection<Generation> running() {
    return running.values();
  }

  int waitingCount() {
    return interactive.size() + mayWait.size();
  }

  /** Whether an interactive run is here. */
  boolean hasInteractive() {
    return interactive.size() > 0
        || running.values().stream().anyMatch(g -> g.run().lane() == Lane.INTERACTIVE);
  }

  private Stream<Generation> allWaiting() {
    return Stream.of(interactive, mayWait)
        .flatMap(lane -> StreamSupport.stream(lane.spliterator(), false));
  }

  /** Whether an interactive run waits for room while runs of the batch lane hold some. */
  boolean keepsInteractiveOut() {
    return interactive.isShortOfRoom()
        && running.values().stream().anyMatch(g -> g.run().lane() == Lane.BATCH);
  }

  /** A running run by its sequence, null if there is none. */
  Generation running(long sequence) {
    return running.get(sequence);
  }

  /**
   * Takes from the waiting those that may join now, in their order. A run on its last attempt joins
   * nobody, nobody joins it, and it begins only when all who left have a durable end: if it takes
   * the process with it, no one else has to run again for that. Nobody overtakes an interactive run
   * that there was no room for: it joins first once another has left, so that every run joins in
   * the end, however long it is.
   *
   * <p>None joins before it is {@linkplain Generation#isAnnounced announced}.
   */
  List<Generation> takeJoining(Instant now) {
    List<Generation> joining =
        eligible(now).stream().takeWhile(Generation::isAnnounced).collect(Collectors.toList());
    joining.forEach(one -> waiting(one).remove(one));
    return joining;
  }

  /** Those that may join as soon as they are announced; each is handed out once. */
  List<Generation> takeUnannounced(Instant now) {
    return eligible(now).stream().filter(Generation::takeAnnouncement).toList();
  }

  /** The first of the waiting, as far as there is a place for them. */
  private List<Generation> eligible(Instant now) {
    List<Generation> eligible = new ArrayList<>();
    Generation first = mayWait.first();
    // Its time begins when its own lane has a place for it: from then on others hold it up.
    if (first != null && isWithinLane(first, eligible)) {
      boolean patient = first.heldUpSince(now).isBefore(now.minus(lane.patience()));
      if (patient && !joins(first, eligible)) {
        return eligible;
      }
    }
    if (joinAll(interactive, eligible)) {
      joinAll(mayWait, eligible);
    }
    return eligible;
  }

  /** Returns whether what is left of the room is for others to take. */
  private boolean joinAll(WaitingRuns waiting, List<Generation> eligible) {
    for (Generation next : waiting) {
      if (eligible.contains(next)) {
        continue;
      }
      if (!isWithinLane(next, eligible)) {
        return true;
      }
      if (!joins(next, eligible)) {
        return false;
      }
    }
    return true;
  }

  /** Whether its lane has a place for it, and as much of the pool as it needs. */
  private boolean isWithinLane(Generation next, List<Generation> eligible) {
    Lane of = next.run().lane();
    List<Generation> active =
        Stream.concat(running.values().stream(), eligible.stream())
            .filter(g -> g.run().lane() == of)
            .toList();
    if (active.size() >= waiting(of).places()) {
      return false;
    }
    long held = active.stream().mapToLong(g -> BatchRoom.heldBy(g.run().request())).sum();
    return of == Lane.INTERACTIVE || held + BatchRoom.heldBy(next.run().request()) <= room.tokens();
  }

  /** Lets a run join, unless the engine has no room for it, or one of those there must be alone. */
  private boolean joins(Generation next, List<Generation> eligible) {
    boolean alone =
        Stream.concat(running.values().stream(), eligible.stream()).anyMatch(g -> g.run().last());
    boolean others = !running.isEmpty() || !eligible.isEmpty() || !ending.isEmpty();
    if (alone || waiting(next).isShortOfRoom(next) || (next.run().last() && others)) {
      return false;
    }
    eligible.add(next);
    return true;
  }

  /** Those that found no place go back in front, in the old order. */
  void putBack(List<Generation> unplaced) {
    for (Lane of : Lane.values()) {
      waiting(of).putBack(unplaced.stream().filter(g -> g.run().lane() == of).toList());
    }
  }

  void join(Generation generation) {
    running.put(generation.sequence(), generation);
  }

  /** A run leaves; its sequence may be closed when its room is needed. */
  void leave(Generation generation) {
    running.remove(generation.sequence());
    ended.add(generation);
    ending.add(generation.run().attemptId());
    cancelled.remove(generation.run().requestId());
    roomAgain();
  }

  /** What there is to say of an attempt is durable, or never will be. */
  void settled(String attemptId) {
    ending.remove(attemptId);
  }

  private void roomAgain() {
    interactive.roomAgain();
    mayWait.roomAgain();
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
    boolean alone = running.isEmpty() && !ended.haveRoom();
    List<Generation> patient = alone ? refused.subList(1, refused.size()) : refused;
    putBack(patient);
    if (!alone && !ended.haveRoom()) {
      for (Lane of : Lane.values()) {
        patient.stream()
            .filter(g -> g.run().lane() == of)
            .findFirst()
            .ifPresent(waiting(of)::shortOfRoom);
      }
    }
    return alone ? List.of(refused.get(0)) : List.of();
  }

  /** Forgets a run that was never opened. */
  void drop(Generation generation) {
    running.remove(generation.sequence());
    cancelled.remove(generation.run().requestId());
  }

  /** Forgets a run that waits; returns whether it did. */
  boolean dropWaiting(Generation generation) {
    boolean waited = waiting(generation).remove(generation);
    if (waited) {
      cancelled.remove(generation.run().requestId());
    }
    return waited;
  }

  /**
   * Makes room for those that join, at the cost of sequences that have ended.
   *
   * @return whether all {@link #sources} are still open that they begin like
   */
  boolean makeRoom(List<StepPlan.Open> joining) {
    return ended.makeRoom(joining);
  }

  /** Sequences to be closed, each handed out once. */
  List<Long> takeClosing() {
    return ended.takeClosing();
  }

  /** Those that prompts may begin like: that run, or have ended and are still open. */
  Collection<Generation> sources() {
    return Stream.concat(running.values().stream(), ended.kept().stream()).toList();
  }

  /** After a step so many tokens of the pool are free; with those that are, if they are needed. */
  int freeTokens(int tokens) {
    ended.freeTokens(tokens);
    return tokens + ended.keptTokens();
  }

  /** Notes that a request is to be stopped; returns whether it is here. */
  boolean cancel(String requestId, String reason) {
    boolean here =
        Stream.concat(allWaiting(), running.values().stream())
            .anyMatch(g -> g.run().requestId().equals(requestId));
    if (here) {
      cancelled.put(requestId, reason);
    }
    return here;
  }

  /** Removes an attempt, wherever it is. */
  void discard(String attemptId) {
    allWaiting()
        .filter(g -> g.run().attemptId().equals(attemptId))
        .toList()
        .forEach(this::dropWaiting);
    List.copyOf(running.values()).stream()
        .filter(g -> g.run().attemptId().equals(attemptId))
        .forEach(this::leave);
    settled(attemptId);
  }

  /** Removes what was cancelled and what has passed its deadline. */
  List<Stopped> takeStopped(Instant now) {
    List<Stopped> stopped = new ArrayList<>();
    for (Generation one : Stream.concat(allWaiting(), running.values().stream()).toList()) {
      String reason = cancelled.remove(one.run().requestId());
      if (reason != null || now.isAfter(one.run().request().deadline())) {
        stopped.add(new Stopped(one, reason));
        if (!waiting(one).remove(one)) {
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
    roomAgain();
    return lost;
  }
}
