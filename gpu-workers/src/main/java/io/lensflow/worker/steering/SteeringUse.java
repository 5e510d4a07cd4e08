package io.lensflow.worker.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.text.spec.PositionSpec;

/**
 * One prepared vector at one site of one request: {@link io.lensflow.engine.steering.SteeringSite}
 * with the vector named and not held, so that it can cross actor boundaries.
 *
 * @param vector the pinned version
 * @param layer 0 … L−1
 * @param hookPoint where in the block
 * @param operation what is done to each selected row
 * @param multiplier m
 * @param positions which absolute positions
 * @param preserveNorm rescale the row to its norm before the operation
 */
public record SteeringUse(
    VectorId vector,
    int layer,
    HookPoint hookPoint,
    SteeringOperation operation,
    float multiplier,
    PositionSpec positions,
    boolean preserveNorm) {}
