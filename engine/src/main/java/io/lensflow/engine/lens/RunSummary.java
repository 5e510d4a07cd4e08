package io.lensflow.engine.lens;

/**
 * What one run of the vocabulary says about n rows.
 *
 * @param sums of the softmax
 * @param top tokens that were kept, logits in float32; null where none were asked for
 * @param greater [n, T], how many tokens are strictly greater than each target; null for none
 * @param model about the model's own rows; null where not asked for
 */
record RunSummary(RowSums sums, TopTokens top, int[] greater, ModelSums model) {}
