package io.lensflow.engine.lens;

/**
 * What a lens says about N rows.
 *
 * @param k tokens reported per row
 * @param topIds [N, k], by falling logit, then rising id
 * @param topLogits [N, k]
 * @param topProbabilities [N, k], softmax over the whole vocabulary
 * @param entropy [N], nats
 * @param logSumExp [N], natural
 */
public record LensRows(
    int k,
    int[] topIds,
    float[] topLogits,
    float[] topProbabilities,
    float[] entropy,
    float[] logSumExp) {}
