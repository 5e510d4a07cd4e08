package io.lensflow.engine.steering;

/** What a vector v, with v̂ = v/‖v‖ and multiplier m, does to a row h. Computed in float32. */
public enum SteeringOperation {
  /** {@code h + m·v}. */
  ADD,
  /** {@code h + m·‖h‖·v̂}. */
  ADD_NORM_MATCHED,
  /** {@code h − m·(h·v̂)·v̂}. */
  ABLATE,
  /** {@code h + (m − h·v̂)·v̂}. */
  PROJECT_TO
}
