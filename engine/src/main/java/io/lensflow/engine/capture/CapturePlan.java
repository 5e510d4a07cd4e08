package io.lensflow.engine.capture;

import io.lensflow.text.spec.PositionSpec;
import java.util.List;
import java.util.Objects;

/**
 * Which rows of a sequence are set aside while it runs.
 *
 * @param hookPoints hook points, each captured at every layer of {@code layers}; empty captures
 *     nothing
 * @param layers layers, ascending, each 0 … L−1
 * @param positions which absolute positions
 * @param finalRow also set aside {@code RESIDUAL_POST} of layer L−1 (the row from which the model's
 *     own distribution follows), whatever the layers are
 */
public record CapturePlan(
    List<HookPoint> hookPoints, List<Integer> layers, PositionSpec positions, boolean finalRow) {
  /** Captures nothing. */
  public static final CapturePlan NONE =
      new CapturePlan(List.of(), List.of(), PositionSpec.ALL, false);

  public CapturePlan {
    hookPoints = List.copyOf(hookPoints);
    layers = List.copyOf(layers);
    Objects.requireNonNull(positions, "positions");
  }

  /** Whether nothing at all is set aside. */
  public boolean isEmpty() {
    return !finalRow && (hookPoints.isEmpty() || layers.isEmpty());
  }
}
