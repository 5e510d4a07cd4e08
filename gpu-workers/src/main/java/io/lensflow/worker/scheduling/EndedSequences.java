package io.lensflow.worker.scheduling;

import io.lensflow.worker.ranks.StepPlan;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/**
 * Sequences that have ended. The latest stay open as long as nobody needs their room, since the
 * next prompt may begin like theirs did; the others are to be closed. Not thread-safe.
 */
final class EndedSequences {
  private final double kvShare;
  private final Deque<Generation> kept = new ArrayDeque<>();
  private final List<Generation> closing = new ArrayList<>();
  private int most;
  private int free;

  /**
   * @param kvShare most of the pool of keys and values that those may hold which stay, 0 … 1
   */
  EndedSequences(double kvShare) {
    this.kvShare = kvShare;
  }

  /** The engine's pool holds so many tokens, and all of them are free. */
  void kvTokens(int tokens) {
    most = (int) (kvShare * tokens);
    free = tokens;
    kept.clear();
    closing.clear();
  }

  /** After a step so many tokens of the pool are free. */
  void freeTokens(int tokens) {
    free = tokens;
  }

  void add(Generation ended) {
    kept.addLast(ended);
    while (held(kept) > most) {
      closing.add(kept.removeFirst());
    }
  }

  /** Those that stay, the oldest first. */
  Collection<Generation> kept() {
    return Collections.unmodifiableCollection(kept);
  }

  /** Tokens of the pool that those hold which stay: room for whoever needs it. */
  int keptTokens() {
    return held(kept);
  }

  /** Whether room comes back with the next step, or does if it is needed. */
  boolean haveRoom() {
    return !closing.isEmpty() || !kept.isEmpty();
  }

  /**
   * Makes room for those that join: the oldest that stayed are to be closed, last those that others
   * begin like.
   *
   * @param joining who joins in the next step
   * @return whether all those are still open that they begin like
   */
  boolean makeRoom(List<StepPlan.Open> joining) {
    int needed = joining.stream().mapToInt(one -> BatchRoom.blockTokens(one.maxLength())).sum();
    while (free + held(closing) < needed && !kept.isEmpty()) {
      Generation next =
          kept.stream().filter(one -> !isSource(one, joining)).findFirst().orElse(kept.peek());
      kept.remove(next);
      closing.add(next);
    }
    return closing.stream().noneMatch(one -> isSource(one, joining));
  }

  /** Sequences to be closed, each handed out once. */
  List<Long> takeClosing() {
    List<Long> numbers = closing.stream().map(Generation::sequence).toList();
    closing.clear();
    return numbers;
  }

  private static boolean isSource(Generation ended, List<StepPlan.Open> joining) {
    return joining.stream()
        .anyMatch(one -> one.prefix() != null && one.prefix().source() == ended.sequence());
  }

  private static int held(Collection<Generation> generations) {
    return generations.stream().mapToInt(one -> BatchRoom.heldBy(one.run().request())).sum();
  }
}
