package io.lensflow.steering.vector;

import io.lensflow.records.HookPoint;

/**
 * A site that is on the topic. Its values stay there and are read where they are asked for:
 * hundreds of vectors at all layers of a large model would fill gigabytes.
 *
 * @param layer layer, 0 … L−1
 * @param hookPoint where in the block
 * @param norm Euclidean norm
 * @param crc32c CRC-32C over the values, unsigned
 * @param partition partition of {@code steering-vectors} that holds it
 * @param offset offset there; compaction keeps it
 */
public record StoredSite(
    int layer, HookPoint hookPoint, double norm, long crc32c, int partition, long offset) {
  /** {@code HOOK_POINT/layer}, as in its key. */
  String place() {
    return hookPoint + "/" + layer;
  }
}
