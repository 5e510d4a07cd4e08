package io.lensflow.client.follow;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The live rule for one request. Not thread-safe. */
final class LiveRequest {
  private final Subscription subscription;
  private final Set<String> attempts = new HashSet<>();
  private final Map<String, Map<String, PartTracker>> trackers = new HashMap<>();
  private CompletionEvent terminal;
  private boolean completed;

  LiveRequest(Subscription subscription) {
    this.subscription = subscription;
  }

  /** Takes a record and hands on what a live subscriber sees of it. */
  void accept(TailRecord record, Consumer<LiveEvent> out) {
    if (completed) {
      return; // a duplicate, or a lens that nobody waits for
    }
    take(record, out);
    if (terminal != null && missing().isEmpty()) {
      completed = true;
      out.accept(new LiveEvent.Completed(terminal));
    }
  }

  private void take(TailRecord record, Consumer<LiveEvent> out) {
    String attemptId = record.attemptId();
    if (terminal != null && !terminal.getAttemptId().equals(attemptId)) {
      return; // a loser that came late
    }
    switch (record.kind()) {
      case COMPLETIONS -> onCompletion(record.completion(), out);
      case LENS_RESULTS -> onResult(record.result(), out);
      case ACTIVATIONS -> {
        var chunk = record.chunk();
        if (tracker(attemptId, Completeness.CHUNKS).add(chunk.getSequence(), 0, 1)) {
          begin(chunk.getRequestId(), attemptId, chunk.getAttempt(), out);
          out.accept(new LiveEvent.ChunkArrived(chunk));
        }
      }
    }
  }

  private void onCompletion(CompletionEvent event, Consumer<LiveEvent> out) {
    if (Terminal.is(event)) {
      if (terminal == null) {
        terminal = event;
        trackers.keySet().retainAll(Set.of(event.getAttemptId()));
        out.accept(new LiveEvent.Ended(event));
      }
      return;
    }
    begin(event.getRequestId(), event.getAttemptId(), event.getAttempt(), out);
    switch (event.getType()) {
      case ACCEPTED -> out.accept(new LiveEvent.Accepted(event));
      case TOKENS -> out.accept(new LiveEvent.TokensGenerated(event));
      case ATTEMPT_FAILED -> out.accept(new LiveEvent.AttemptFailed(event));
      default -> {
        // a type that this reader does not know yet
      }
    }
  }

  private void onResult(LensResult result, Consumer<LiveEvent> out) {
    String attemptId = result.getAttemptId();
    if (result.getGap() != null) {
      result
          .getGap()
          .getMissingSequences()
          .forEach(sequence -> skip(attemptId, result.getLens(), sequence));
    } else if (!subscription.carriesLens(result.getLens())
        || !tracker(attemptId, result.getLens())
            .add(result.getSequence(), result.getPart(), result.getParts())) {
      return;
    }
    begin(result.getRequestId(), attemptId, result.getAttempt(), out);
    out.accept(new LiveEvent.ResultArrived(result));
  }

  /** A gap that names no lens is one under every lens. */
  private void skip(String attemptId, String lens, int sequence) {
    if (!lens.isEmpty()) {
      tracker(attemptId, lens).skip(sequence);
      return;
    }
    subscription.lenses().ifPresent(names -> names.forEach(name -> tracker(attemptId, name)));
    trackers
        .getOrDefault(attemptId, Map.of())
        .forEach(
            (name, tracker) -> {
              if (!name.equals(Completeness.CHUNKS)) {
                tracker.skip(sequence);
              }
            });
  }

  private void begin(String requestId, String attemptId, int attempt, Consumer<LiveEvent> out) {
    if (!attemptId.isEmpty() && attempts.add(attemptId) && attempts.size() > 1) {
      out.accept(new LiveEvent.Restarted(requestId, attemptId, attempt));
    }
  }

  private PartTracker tracker(String attemptId, String stream) {
    return trackers
        .computeIfAbsent(attemptId, id -> new HashMap<>())
        .computeIfAbsent(stream, name -> new PartTracker());
  }

  /** What the request still lacks; empty when nothing more will come. */
  Optional<String> missing() {
    if (terminal == null) {
      return Optional.of("its terminal event");
    }
    return Completeness.missing(
        terminal, subscription, trackers.getOrDefault(terminal.getAttemptId(), Map.of()));
  }
}
