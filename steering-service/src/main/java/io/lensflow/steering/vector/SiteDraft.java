package io.lensflow.steering.vector;

import io.lensflow.records.HookPoint;

/**
 * One vector at one place, as somebody wants it published.
 *
 * @param field path of this site in what was sent, with a dot at its end where it is not empty:
 *     what errors begin with
 * @param layer layer, 0 … L−1
 * @param hookPoint where in the block
 * @param values the vector [D]
 */
public record SiteDraft(String field, int layer, HookPoint hookPoint, float[] values) {}
