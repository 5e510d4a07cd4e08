package io.lensflow.engine;

/**
 * What one tensor-parallel rank holds. Immutable.
 *
 * @param rank 0 … R−1
 * @param device such as {@code cpu}
 * @param bytesRead bytes of weights that it read from files
 * @param weightBytes bytes that its weights take in memory, packed and plain copies both counted
 * @param kvBytes bytes of its pool of keys and values
 */
public record RankInfo(int rank, String device, long bytesRead, long weightBytes, long kvBytes) {}
