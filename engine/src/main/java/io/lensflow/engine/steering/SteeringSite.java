package io.lensflow.engine.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.text.spec.PositionSpec;
import java.util.Objects;

/**
 * One vector applied at one place of one sequence.
 *
 * @param vector a vector that {@link io.lensflow.engine.Engine#prepare} has put on the device
 * @param layer 0 … L−1
 * @param hookPoint where in the block
 * @param operation what is done to each selected row
 * @param multiplier m; 0 skips the operation, {@code preserveNorm} included, save {@code
 *     PROJECT_TO}
 * @param positions which absolute positions, whatever the cache and the prefill chunks do
 * @param preserveNorm rescale the row to its norm as it was just before this operation
 */
public record SteeringSite(
    PreparedVector vector,
    int layer,
    HookPoint hookPoint,
    SteeringOperation operation,
    float multiplier,
    PositionSpec positions,
    boolean preserveNorm) {
  public SteeringSite {
    Objects.requireNonNull(vector, "vector");
    Objects.requireNonNull(hookPoint, "hookPoint");
    Objects.requireNonNull(operation, "operation");
    Objects.requireNonNull(positions, "positions");
  }
}
