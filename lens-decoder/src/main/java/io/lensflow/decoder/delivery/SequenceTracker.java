package io.lensflow.decoder.delivery;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Gap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Notices that chunks of an attempt are missing in front of one that is there. What it learns
 * counts only once the transaction that reports it is committed, and is forgotten if that is
 * aborted.
 *
 * <p>One per partition; not thread-safe: the loop owns it. Memory: the last attempts of the
 * partition, at most {@value #MAX_ATTEMPTS}. After a restart an attempt that is first met in its
 * middle is taken as it is: its beginning was decoded by someone else, or fell into a hole, and
 * then {@link HoleAudits} reports it.
 */
final class SequenceTracker {
  private static final int MAX_ATTEMPTS = 4096;

  /** Beyond this a gap names its range in words only. */
  private static final int MAX_LISTED = 10_000;

  private final Map<String, Integer> committed =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
          return size() > MAX_ATTEMPTS;
        }
      };
  private final Map<String, Integer> pending = new HashMap<>();
  private LedgerEntry.Hole hole;

  /** Remembers that offsets are missing, to name them when an attempt turns out to miss chunks. */
  void observe(LedgerEntry.Hole missing) {
    hole = missing;
  }

  /** What is missing in front of this chunk; empty if nothing is. */
  Optional<Gap> observe(ActivationChunk chunk) {
    String attempt = chunk.getAttemptId();
    int sequence = chunk.getSequence();
    Integer last = pending.getOrDefault(attempt, committed.get(attempt));
    if (last == null || sequence > last) {
      pending.put(attempt, sequence);
    }
    return last != null && sequence > last + 1
        ? Optional.of(gap(last + 1, sequence))
        : Optional.empty();
  }

  /** The transaction was committed. */
  void commit() {
    committed.putAll(pending);
    pending.clear();
  }

  /** The transaction was aborted, and everything in it will be seen again. */
  void abort() {
    pending.clear();
  }

  private Gap gap(int from, int to) {
    List<Integer> missing =
        to - from <= MAX_LISTED ? IntStream.range(from, to).boxed().toList() : List.of();
    return new Gap(
        missing,
        hole == null ? -1 : hole.firstOffset(),
        hole == null ? -1 : hole.lastOffset(),
        "chunks %d … %d of the attempt were not found: %s"
            .formatted(
                from,
                to - 1,
                hole == null
                    ? "they were not published, or could not be read"
                    : "they were deleted by retention before they were decoded"));
  }
}
