package io.lensflow.schemas.topics;

import java.time.Duration;

/**
 * How much the topics keep; what a deployment sizes to its disks. Immutable.
 *
 * @param requestRetention how long requests are kept; never less than the longest deadline
 * @param activationRetention how long raw activations are kept at most
 * @param activationBytesPartition how many bytes of them one partition keeps at most; the disk
 *     needs this times the partitions, times the replication factor
 * @param lensResultRetention how long results are kept
 * @param maxRecordBytes largest record batch that any topic takes; producers need a {@code
 *     max.request.size} to match
 */
public record TopicSizes(
    Duration requestRetention,
    Duration activationRetention,
    long activationBytesPartition,
    Duration lensResultRetention,
    int maxRecordBytes) {
  /** Suits one machine: at 3 partitions, activations take at most 3 GiB. */
  public static final TopicSizes DEFAULT =
      new TopicSizes(
          Duration.ofDays(7), Duration.ofDays(1), 1L << 30, Duration.ofDays(7), 8 * 1024 * 1024);

  public TopicSizes {
    requirePositive("requestRetention", requestRetention);
    requirePositive("activationRetention", activationRetention);
    requirePositive("lensResultRetention", lensResultRetention);
    if (maxRecordBytes < 1024 * 1024) {
      throw new IllegalArgumentException(
          "maxRecordBytes must be at least 1 MiB (1048576): " + maxRecordBytes);
    }
    // A segment is 1/16 of a partition and must hold at least one record of the largest size.
    if (activationBytesPartition < 16L * maxRecordBytes) {
      throw new IllegalArgumentException(
          "activationBytesPartition must be at least 16 × maxRecordBytes ("
              + 16L * maxRecordBytes
              + "): "
              + activationBytesPartition);
    }
  }

  /** How long completions are kept: ten times as long as the activations whose winner they name. */
  public Duration completionRetention() {
    return activationRetention.multipliedBy(10);
  }

  private static void requirePositive(String name, Duration duration) {
    if (duration == null || duration.isZero() || duration.isNegative()) {
      throw new IllegalArgumentException(name + " must be longer than nothing: " + duration);
    }
  }
}
