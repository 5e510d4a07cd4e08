package io.lensflow.decoder.batch;

/**
 * A run of rows of one chunk inside a batch.
 *
 * @param work whose rows
 * @param from first row, 0 … N−1
 * @param count how many
 */
record RowSegment(LensWork work, int from, int count) {}
