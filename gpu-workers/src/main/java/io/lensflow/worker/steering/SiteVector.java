package io.lensflow.worker.steering;

import io.lensflow.engine.capture.HookPoint;

/**
 * The values of a vector at one of its sites. Immutable by agreement: nobody writes {@code values}
 * after it was read from its record.
 *
 * @param hookPoint where in the block
 * @param layer 0 … L−1
 * @param values [D], float32
 */
public record SiteVector(HookPoint hookPoint, int layer, float[] values) {}
