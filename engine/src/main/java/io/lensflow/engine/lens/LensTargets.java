package io.lensflow.engine.lens;

/**
 * What a lens says about tokens that were asked for, T per row. Where none was (id −1), logit and
 * log-probability are NaN and the rank is 0.
 *
 * @param perRow T
 * @param ids [N, T], as asked
 * @param logits [N, T]
 * @param logProbabilities [N, T], natural, softmax over the whole vocabulary
 * @param ranks [N, T], 1 + number of strictly greater logits
 */
public record LensTargets(
    int perRow, int[] ids, float[] logits, float[] logProbabilities, int[] ranks) {}
