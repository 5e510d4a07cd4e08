package io.lensflow.worker.intake;

import io.lensflow.worker.request.Lane;
import java.time.Duration;

/**
 * Limits of the intake.
 *
 * @param slots interactive requests held at a time
 * @param batchSlots requests of the batch lane held at a time
 * @param maxAttempts attempts at a request, over all workers
 * @param maxRequestTime longest time that a request may take here, whatever its deadline
 * @param maxSteeringWait longest wait for a vector that is not there yet
 * @param maxParked interactive requests that may wait for the lens decoder beside those that hold
 *     slots; those of the batch lane wait in their slots
 */
public record IntakeSettings(
    int slots,
    int batchSlots,
    int maxAttempts,
    Duration maxRequestTime,
    Duration maxSteeringWait,
    int maxParked) {
  /** Requests of a lane held at a time. */
  int slots(Lane lane) {
    return lane == Lane.BATCH ? batchSlots : slots;
  }

  /**
   * How many requests of a lane may wait for a vector: a quarter of the slots, so that others go
   * on.
   */
  int maxWaitingForVectors(Lane lane) {
    return Math.max(1, slots(lane) / 4);
  }

  /** How many requests of a lane may wait for the lens decoder beside those that hold slots. */
  int maxParked(Lane lane) {
    return lane == Lane.BATCH ? 0 : maxParked;
  }
}
