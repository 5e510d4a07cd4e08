package io.lensflow.worker.intake;

import java.time.Duration;

/**
 * Limits of the intake.
 *
 * @param slots requests held at a time
 * @param maxAttempts attempts at a request, over all workers
 * @param maxRequestTime longest time that a request may take here, whatever its deadline
 * @param maxSteeringWait longest wait for a vector that is not there yet
 * @param maxParked requests that may wait for the lens decoder beside those that hold slots
 */
public record IntakeSettings(
    int slots, int maxAttempts, Duration maxRequestTime, Duration maxSteeringWait, int maxParked) {
  /** How many requests may wait for a vector: a quarter of the slots, so that others go on. */
  int maxWaitingForVectors() {
    return Math.max(1, slots / 4);
  }
}
