package io.lensflow.steering.build;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.SiteDraft;

/**
 * A place in a model.
 *
 * @param hookPoint where in the block
 * @param layer 0 … L−1
 */
public record Site(HookPoint hookPoint, int layer) {
  /** The place that a vector is for. */
  public static Site of(SiteDraft draft) {
    return new Site(draft.hookPoint(), draft.layer());
  }

  @Override
  public String toString() {
    return "%s of layer %d".formatted(hookPoint, layer);
  }
}
