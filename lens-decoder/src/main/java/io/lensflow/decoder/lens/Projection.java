package io.lensflow.decoder.lens;

/**
 * The N rows of a chunk projected onto one vector.
 *
 * @param vector NAME@VERSION
 * @param dots [N], h·v̂; NaN where the vector has no site at the row's hook point and layer
 * @param cosines [N], of h and v; NaN likewise, 0 for a zero row
 */
public record Projection(String vector, float[] dots, float[] cosines) {}
