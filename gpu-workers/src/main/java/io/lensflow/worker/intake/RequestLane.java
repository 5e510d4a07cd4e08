package io.lensflow.worker.intake;

import io.lensflow.worker.request.Lane;

/**
 * Where the requests of one lane come from. Immutable.
 *
 * @param lane the lane
 * @param topic where its requests lie
 * @param partitions how many partitions that has
 * @param slots how many are taken at a time
 */
public record RequestLane(Lane lane, String topic, int partitions, int slots) {
  /** What its threads are called, before their numbers. */
  String threads() {
    return lane == Lane.BATCH ? "batch" : "request";
  }
}
