package io.lensflow.decoder.batch;

import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensMetrics;

/**
 * Rows that can share a batch: the same lens, element type, metrics and numeric path, so that no
 * row is charged for what another one asked. How many top tokens and targets there are differs from
 * request to request, so these are rounded up to a few sizes; a batch computes what the greediest
 * of its own requests wants.
 *
 * @param lens the lens
 * @param dtype element type of the rows
 * @param frozenNorm whether the final norm's scale is that of the model's own last row
 * @param metrics what is computed; k and T are upper bounds
 */
public record Lane(Lens lens, DType dtype, boolean frozenNorm, LensMetrics metrics) {
  /** Fewer tokens than this cost the head about the same. */
  private static final int SMALLEST_SIZE = 8;

  /**
   * The lane for some rows of a plan.
   *
   * @param metrics what is computed of these rows: at least what the plan asks for
   */
  static Lane of(LensPlan plan, DType dtype, LensMetrics metrics) {
    return new Lane(
        plan.lens(),
        dtype,
        plan.frozenNorm(),
        new LensMetrics(
            size(metrics.topK()),
            metrics.entropy(),
            metrics.logSumExp(),
            size(metrics.targetsPerRow()),
            metrics.kl(),
            metrics.js(),
            metrics.path()));
  }

  /** What a batch computes in which nobody wants more than this. */
  LensMetrics metrics(int topK, int targetsPerRow) {
    return new LensMetrics(
        topK,
        metrics.entropy(),
        metrics.logSumExp(),
        targetsPerRow,
        metrics.kl(),
        metrics.js(),
        metrics.accuracy());
  }

  private static int size(int asked) {
    return asked == 0 ? 0 : Math.max(SMALLEST_SIZE, Integer.highestOneBit(2 * asked - 1));
  }
}
