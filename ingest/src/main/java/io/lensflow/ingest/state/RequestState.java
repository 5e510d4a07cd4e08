package io.lensflow.ingest.state;

import io.lensflow.records.CompletionEvent;
import java.util.HashSet;
import java.util.Set;

/** What the records of {@code completions} say about a request so far. For one thread. */
public final class RequestState {
  /** How far a request has come. */
  public enum Phase {
    /** Sent, not yet taken by a worker. */
    QUEUED,
    /** A worker has taken it. */
    RUNNING,
    FINISHED,
    FAILED,
    CANCELLED
  }

  private final Set<String> attempts = new HashSet<>();
  private CompletionEvent newest;
  private CompletionEvent terminal;
  private int generatedTokens;

  /**
   * Takes the next record, in partition order.
   *
   * @return false once the outcome is known
   */
  boolean take(CompletionEvent event) {
    newest = event;
    switch (event.getType()) {
      case FINISHED, FAILED, CANCELLED -> terminal = event;
      case TOKENS -> {
        begin(event);
        generatedTokens += event.getTokens().getIds().size();
      }
      case ACCEPTED, ATTEMPT_FAILED, UNKNOWN -> begin(event);
    }
    return terminal == null;
  }

  private void begin(CompletionEvent event) {
    if (attempts.add(event.getAttemptId())) {
      generatedTokens = 0; // those of earlier attempts do not stand
    }
  }

  /** How far it has come. */
  public Phase phase() {
    if (newest == null) {
      return Phase.QUEUED;
    }
    return terminal == null ? Phase.RUNNING : Phase.valueOf(terminal.getType().name());
  }

  /** The newest event; null if there was none. */
  public CompletionEvent newest() {
    return newest;
  }

  /** The terminal event; null if there was none. */
  public CompletionEvent terminal() {
    return terminal;
  }

  /** Attempts seen. */
  public int attempts() {
    return attempts.size();
  }

  /** Tokens of the newest attempt, or as the outcome counts them. */
  public int generatedTokens() {
    return terminal != null && terminal.getFinished() != null
        ? terminal.getFinished().getGeneratedTokens()
        : generatedTokens;
  }
}
