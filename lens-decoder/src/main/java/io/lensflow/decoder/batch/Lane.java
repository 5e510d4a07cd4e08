package io.lensflow.decoder.batch;

import io.lensflow.engine.DType;

/**
 * Rows that can share a batch: the same lens on the same element type. Further lenses and numeric
 * paths become further lanes.
 *
 * @param lens name of the lens
 * @param dtype element type of the rows
 */
public record Lane(String lens, DType dtype) {}
