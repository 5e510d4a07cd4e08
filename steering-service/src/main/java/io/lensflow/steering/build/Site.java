package io.lensflow.steering.build;

import io.lensflow.records.HookPoint;

/**
 * A place in a model.
 *
 * @param hookPoint where in the block
 * @param layer 0 … L−1
 */
public record Site(HookPoint hookPoint, int layer) {
  @Override
  public String toString() {
    return "%s of layer %d".formatted(hookPoint, layer);
  }
}
