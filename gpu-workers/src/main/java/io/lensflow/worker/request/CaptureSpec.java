package io.lensflow.worker.request;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.CapturePlan;

/**
 * What a request wants captured, resolved against the model. Immutable.
 *
 * @param plan what the engine sets aside
 * @param rowDtype element type in which rows travel
 */
public record CaptureSpec(CapturePlan plan, DType rowDtype) {
  /** Whether any row leaves the worker. */
  public boolean isEmpty() {
    return plan.hookPoints().isEmpty() || plan.layers().isEmpty();
  }

  /**
   * Bytes that one position puts into the publisher's buffer, in the dtype of the model or of
   * travel, whichever is wider.
   *
   * @param hiddenSize D
   * @param computeDtype the engine's dtype
   */
  public long bytesPerPosition(int hiddenSize, DType computeDtype) {
    if (isEmpty()) {
      return 0;
    }
    long rows = (long) plan.hookPoints().size() * plan.layers().size() + (plan.finalRow() ? 1 : 0);
    return rows * hiddenSize * Math.max(computeDtype.bytes(), rowDtype.bytes());
  }
}
