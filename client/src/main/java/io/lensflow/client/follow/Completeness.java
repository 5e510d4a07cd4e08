package io.lensflow.client.follow;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether an attempt's results are all there. {@code FINISHED.chunks} says how many chunks exist;
 * each lens answers each of them, gaps included.
 */
final class Completeness {
  /** Stands beside lens names for the raw chunks themselves; no lens has such a name. */
  static final String CHUNKS = "(activations)";

  private static final int SHOWN = 8;

  private Completeness() {}

  /**
   * What is missing, for a person; empty if nothing is.
   *
   * @param chunks how many chunks the attempt has
   * @param subscription names the lenses, if it does, and whether raw chunks count
   * @param trackers what has been seen, by lens name
   */
  static Optional<String> missing(
      int chunks, Subscription subscription, Map<String, PartTracker> trackers) {
    if (chunks == 0) {
      return Optional.empty();
    }
    Set<String> streams = new TreeSet<>(subscription.lenses().orElse(trackers.keySet()));
    streams.remove(CHUNKS);
    if (streams.isEmpty() && subscription.lenses().isEmpty()) {
      return Optional.of("results of any lens");
    }
    if (subscription.chunks()) {
      streams.add(CHUNKS);
    }
    for (String stream : streams) {
      PartTracker tracker = trackers.getOrDefault(stream, new PartTracker());
      if (!tracker.isComplete(chunks)) {
        List<Integer> missing = tracker.missing(chunks, SHOWN);
        return Optional.of(
            "%s of chunks %s%s (of %d)"
                .formatted(
                    stream.equals(CHUNKS) ? "activations" : "results of lens '" + stream + "'",
                    missing,
                    missing.size() == SHOWN ? " and more" : "",
                    chunks));
      }
    }
    return Optional.empty();
  }
}
