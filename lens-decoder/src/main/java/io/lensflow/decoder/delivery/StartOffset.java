package io.lensflow.decoder.delivery;

import java.util.Optional;

/**
 * Where to read on in a partition. Automatic reset is off, because it would step over lost records
 * without a word.
 *
 * @param offset where to read on
 * @param hole offsets that were deleted before they were read; empty if none
 * @param log one sentence for the log if something is unusual; empty if not
 */
record StartOffset(long offset, Optional<LedgerEntry.Hole> hole, String log) {
  /**
   * Decides.
   *
   * @param next the offset to read next, as committed or as reached; null if this group has never
   *     read the partition
   * @param beginning first offset that the partition has
   * @param end offset after its last
   */
  static StartOffset of(Long next, long beginning, long end) {
    if (next == null) {
      return new StartOffset(beginning, Optional.empty(), "");
    }
    if (next < beginning) {
      return new StartOffset(
          beginning,
          Optional.of(new LedgerEntry.Hole(next, beginning - 1)),
          "records %d … %d were deleted before they were decoded".formatted(next, beginning - 1));
    }
    if (next > end) {
      return new StartOffset(
          beginning,
          Optional.empty(),
          "offset %d lies behind the end %d: the topic was made anew; starting at its beginning %d"
              .formatted(next, end, beginning));
    }
    return new StartOffset(next, Optional.empty(), "");
  }
}
