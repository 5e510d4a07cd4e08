package io.lensflow.worker.scheduling;

import io.lensflow.worker.request.Lane;
import java.time.Duration;
import java.time.Instant;

/**
 * Whose step comes next, where both lanes have work: an account of time. A step of the interactive
 * lane earns the batch lane {@code s ÷ (1 − s)} of the time that it took; when the account is
 * positive the batch lane has a step of its own, which is charged to it in full. So over time the
 * batch lane takes {@code s} of the steps' time and no more, whatever a step of it costs, and it
 * waits at most {@code (1 − s) ÷ s} times as long as its last step took: it never starves.
 *
 * <p>While an interactive request waits for room that the batch lane may hold, the batch lane earns
 * as much as the step took, and so has every second step's time: the room comes back sooner.
 *
 * <p>What is not used is not saved up: a batch that comes later does not run all the faster at the
 * expense of who is there then. While no interactive sequence can move, steps of the batch lane are
 * free. Not thread-safe: owned by the scheduler.
 */
final class LaneTurns {
  /** People come back: so long after the last of them, steps stay short for the next. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  /** A step that seems to take longer: the clock was set, or the process stood still. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private final double earned;
  private double balanceNanos;
  private Instant interactiveAt = Instant.EPOCH;

  /**
   * @param batchShare s, over 0 and under 1
   */
  LaneTurns(double batchShare) {
    earned = batchShare / (1 - batchShare);
  }

  /** An interactive request is here, whether or not it can move. */
  void interactive(Instant now) {
    interactiveAt = now;
  }

  /** Whether interactive requests are here, or were a moment ago. */
  boolean isShared(Instant now) {
    return !now.isAfter(interactiveAt.plus(LINGER));
  }

  /** Whether the next step is the batch lane's, if it has any work. */
  boolean isBatchDue() {
    return balanceNanos > 0;
  }

  /**
   * A step was taken.
   *
   * @param lane whose it was
   * @param took how long, by a clock that may have been set meanwhile; counted as 0 … 10 s, since
   *     neither lane is to be without a turn for as long as a clock was wrong
   * @param hurried whether an interactive request waits for what the batch lane holds
   */
  void stepped(Lane lane, Duration took, boolean hurried) {
    long nanos = Math.max(0, Math.min(took.toNanos(), LONGEST.toNanos()));
    if (lane == Lane.BATCH) {
      balanceNanos -= nanos;
    } else {
      double gain = (hurried ? Math.max(1, earned) : earned) * nanos;
      balanceNanos = Math.min(balanceNanos + gain, gain);
    }
  }
}
