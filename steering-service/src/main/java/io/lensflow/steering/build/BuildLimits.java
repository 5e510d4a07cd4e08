package io.lensflow.steering.build;

/**
 * What a build may take.
 *
 * @param maxHeldBytes most bytes of rows that a method may hold together
 * @param maxResultBytes most bytes of a result that holds vectors
 */
public record BuildLimits(long maxHeldBytes, long maxResultBytes) {}
