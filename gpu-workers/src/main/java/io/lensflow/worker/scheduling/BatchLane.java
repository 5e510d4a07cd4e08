package io.lensflow.worker.scheduling;

import java.time.Duration;

/**
 * How the batch lane shares a worker with the interactive one. Immutable.
 *
 * @param slots requests of the batch lane that are held at a time; 0 serves none
 * @param stepShare share of the time of steps that it gets while interactive requests run, over 0
 *     and under 1
 * @param kvShare most of the pool of keys and values that it may hold, over 0, at most 1
 * @param patience how long one of its requests waits for room, or for the engine to be free for its
 *     last attempt, before nobody overtakes it any more
 */
public record BatchLane(int slots, double stepShare, double kvShare, Duration patience) {
  /** No batch lane. */
  public static final BatchLane NONE = new BatchLane(0, 0.1, 0.25, Duration.ofSeconds(30));

  /** Whether there is one. */
  public boolean isServed() {
    return slots > 0;
  }

  /** Its part of a pool of so many tokens. */
  public BatchRoom room(int kvTokens) {
    return new BatchRoom((int) (kvShare * kvTokens));
  }
}
