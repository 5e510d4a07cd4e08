package io.lensflow.engine.lens;

/**
 * How closely a lens follows float32 arithmetic. A bfloat16 product rounds the normed row itself,
 * which all V logits share, so that no later correction of single logits can undo it: that is what
 * the fast path gives up.
 */
public enum LensAccuracy {
  /**
   * Bfloat16 products find the candidates, which are computed again in float32. Top-k ids are those
   * of float32 wherever neighbouring logits differ by more than 1e-2, probabilities within 5e-3,
   * entropy and logSumExp within 0.1 on 99.9 % of rows; ranks are exact up to the number of
   * candidates. Where the head is not stored in bfloat16, this is {@link #EXACT}.
   */
  FAST,

  /**
   * Float32: probabilities within 1e-5 of float64 arithmetic, entropy and logSumExp 1e-3, KL 1e-3 +
   * 1e-4·|KL|, ranks ± 1 + 0.1 %.
   */
  EXACT
}
