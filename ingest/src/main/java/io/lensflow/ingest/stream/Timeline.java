package io.lensflow.ingest.stream;

import io.lensflow.client.follow.PartTracker;
import io.lensflow.client.json.EventJson;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is known of one request from the records seen so far, and what a client is told of them. The
 * terminal event is told last, when all results are out: a client that reads to it has everything.
 *
 * <p>Records of each topic come in the order of their offsets, a whole request's from its
 * beginning. Pure state, no input or output but the sink; for one thread.
 */
abstract class Timeline {
  /** What to do with a result, told by its attempt before it is decoded. */
  enum Verdict {
    /** Hand it over. */
    TAKE,
    /** It belongs to an attempt that {@code completions} has not shown yet: keep it back. */
    WAIT,
    /** It belongs to an attempt that has lost. */
    DROP
  }

  private static final int SHOWN = 8;

  protected final EventSink sink;
  protected final RowFilter filter;
  protected final Set<String> attempts = new HashSet<>();

  /** By attempt, then by lens. */
  private final Map<String, Map<String, PartTracker>> trackers = new HashMap<>();

  private String lossReason;
  private CompletionEvent terminal;

  Timeline(RowFilter filter, EventSink sink) {
    this.filter = filter;
    this.sink = sink;
  }

  /** Takes a record of {@code completions}; those after the first terminal event say nothing. */
  final void completion(long offset, CompletionEvent event) throws IOException {
    if (terminal != null) {
      return;
    }
    if (isTerminal(event)) {
      terminal = event;
      trackers.keySet().retainAll(Set.of(event.getAttemptId()));
      onOutcome();
      return;
    }
    boolean restarted =
        !event.getAttemptId().isEmpty()
            && attempts.add(event.getAttemptId())
            && attempts.size() > 1;
    onCompletion(offset, event, restarted);
  }

  /** Takes a record of {@code lens-results} whose verdict was {@link Verdict#TAKE}. */
  final void result(long offset, int bytes, LensResult result) throws IOException {
    Gap gap = result.getGap();
    if (gap == null) {
      onRows(offset, bytes, result);
      return;
    }
    if (gap.getMissingSequences().isEmpty()) {
      lossReason = gap.getReason();
    }
    onGap(offset, result);
  }

  abstract void onCompletion(long offset, CompletionEvent event, boolean restarted)
      throws IOException;

  abstract void onOutcome() throws IOException;

  abstract void onRows(long offset, int bytes, LensResult result) throws IOException;

  abstract void onGap(long offset, LensResult result) throws IOException;

  /** Tells how the request ended, as the last event. */
  abstract void end(String note) throws IOException;

  abstract Verdict verdict(String attemptId);

  final Optional<CompletionEvent> outcome() {
    return Optional.ofNullable(terminal);
  }

  /** Whether a request that ended so has results that must be waited for. */
  final boolean hasFinished() {
    return terminal != null && terminal.getType() == CompletionType.FINISHED;
  }

  /** What is still to come, for a person; empty where nothing is. */
  final Optional<String> missing() {
    if (terminal == null) {
      return Optional.of("the terminal event");
    }
    if (!hasFinished() || terminal.getFinished().getChunks() == 0) {
      return Optional.empty(); // how many results there are is known of finished attempts only
    }
    int chunks = terminal.getFinished().getChunks();
    Map<String, PartTracker> seen = trackers.getOrDefault(terminal.getAttemptId(), Map.of());
    List<String> asked = terminal.getFinished().getLenses();
    if (asked == null && seen.isEmpty()) {
      return Optional.of("the results of any lens");
    }
    for (String lens : new TreeSet<>(asked == null ? seen.keySet() : asked)) {
      PartTracker tracker = seen.getOrDefault(lens, new PartTracker());
      if (!tracker.isComplete(chunks)) {
        List<Integer> sequences = tracker.missing(chunks, SHOWN);
        return Optional.of(
            "results of lens '%s' for chunks %s%s of %d%s"
                .formatted(
                    lens,
                    sequences,
                    sequences.size() == SHOWN ? " and more" : "",
                    chunks,
                    lossReason == null ? "" : "; rows were lost: " + lossReason));
      }
    }
    return Optional.empty();
  }

  protected final PartTracker tracker(String attemptId, String lens) {
    return trackers
        .computeIfAbsent(attemptId, id -> new HashMap<>())
        .computeIfAbsent(lens, name -> new PartTracker());
  }

  /** Uses a tracker that somebody else keeps. */
  protected final void track(String attemptId, String lens, PartTracker tracker) {
    trackers.computeIfAbsent(attemptId, id -> new HashMap<>()).put(lens, tracker);
  }

  /** Lenses that a gap concerns: the one it names; if it names none, every one that is known. */
  protected final Set<String> lensesOf(LensResult gap) {
    if (!gap.getLens().isEmpty()) {
      return Set.of(gap.getLens());
    }
    Set<String> lenses =
        new TreeSet<>(trackers.getOrDefault(gap.getAttemptId(), Map.of()).keySet());
    if (hasFinished() && terminal.getFinished().getLenses() != null) {
      lenses.addAll(terminal.getFinished().getLenses());
    }
    return lenses;
  }

  protected final String terminalJson(String note) {
    return EventJson.terminal(terminal, note);
  }

  private static boolean isTerminal(CompletionEvent event) {
    return switch (event.getType()) {
      case FINISHED, FAILED, CANCELLED -> true;
      case UNKNOWN, ACCEPTED, TOKENS, ATTEMPT_FAILED -> false;
    };
  }
}
