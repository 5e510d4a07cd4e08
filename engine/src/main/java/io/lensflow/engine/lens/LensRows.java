package io.lensflow.engine.lens;

/**
 * What a lens says about N rows. What was not asked for is null.
 *
 * @param k tokens reported per row
 * @param topIds [N, k], by falling logit, then rising id
 * @param topLogits [N, k]
 * @param topProbabilities [N, k], softmax over the whole vocabulary
 * @param entropy [N], nats
 * @param logSumExp [N], natural
 * @param targets about the tokens that were asked for
 * @param kl [N], KL(final ‖ lens) in nats, at least 0
 * @param js [N], Jensen–Shannon divergence of final and lens in nats, 0 … ln 2
 */
public record LensRows(
    int k,
    int[] topIds,
    float[] topLogits,
    float[] topProbabilities,
    float[] entropy,
    float[] logSumExp,
    LensTargets targets,
    float[] kl,
    float[] js) {
  /** Room for what is asked of n rows. */
  static LensRows of(int n, LensMetrics metrics, int[] targets) {
    int k = metrics.topK();
    int t = metrics.targetsPerRow();
    return new LensRows(
        k,
        k == 0 ? null : new int[Math.multiplyExact(n, k)],
        k == 0 ? null : new float[n * k],
        k == 0 ? null : new float[n * k],
        metrics.entropy() ? new float[n] : null,
        metrics.logSumExp() ? new float[n] : null,
        t == 0
            ? null
            : new LensTargets(
                t, targets.clone(), new float[n * t], new float[n * t], new int[n * t]),
        metrics.kl() ? new float[n] : null,
        metrics.js() ? new float[n] : null);
  }
}
