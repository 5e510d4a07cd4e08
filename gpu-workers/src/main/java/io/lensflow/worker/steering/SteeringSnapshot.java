package io.lensflow.worker.steering;

import io.lensflow.records.PolicyState;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.VectorVersion;
import java.util.List;
import java.util.Map;

/**
 * What a worker has of the steering topics, for its heartbeat. Immutable.
 *
 * @param appliedOffsets next offset to apply, per {@code topic-partition}
 * @param vectors versions on every rank
 * @param refused versions refused, with reasons
 * @param policies policies in effect or on their way
 */
public record SteeringSnapshot(
    Map<String, Long> appliedOffsets,
    List<VectorVersion> vectors,
    List<RefusedVector> refused,
    List<PolicyState> policies) {
  /** Before anything was read. */
  public static final SteeringSnapshot EMPTY =
      new SteeringSnapshot(Map.of(), List.of(), List.of(), List.of());
}
