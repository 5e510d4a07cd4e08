package io.lensflow.client.follow;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether an attempt's results are all there. {@code FINISHED.chunks} says how many chunks exist,
 * {@code FINISHED.lenses} who answers each of them, gaps included. Where a worker left the lenses
 * out, the subscription's stand in, and failing these the lenses seen so far.
 */
final class Completeness {
  /** Stands beside lens names for the raw chunks themselves; no lens has such a name. */
  static final String CHUNKS = "(activations)";

  private static final int SHOWN = 8;

  private Completeness() {}

  /**
   * What is missing, for a person; empty if nothing is.
   *
   * @param terminal the terminal event; only a finished attempt has a known number of chunks
   * @param subscription names the lenses wanted, if it does, and whether raw chunks count
   * @param trackers what has been seen, by lens name
   */
  static Optional<String> missing(
      CompletionEvent terminal, Subscription subscription, Map<String, PartTracker> trackers) {
    if (terminal.getType() != CompletionType.FINISHED || terminal.getFinished() == null) {
      return Optional.empty();
    }
    int chunks = terminal.getFinished().getChunks();
    if (chunks == 0) {
      return Optional.empty();
    }
    Set<String> streams = new TreeSet<>();
    if (terminal.getFinished().getLenses() != null) {
      streams.addAll(terminal.getFinished().getLenses());
      streams.removeIf(lens -> !subscription.carriesLens(lens));
    } else if (subscription.lenses().isPresent()) {
      streams.addAll(subscription.lenses().get());
    } else {
      streams.addAll(trackers.keySet());
      streams.remove(CHUNKS);
      if (streams.isEmpty()) {
        return Optional.of("results of any lens");
      }
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
