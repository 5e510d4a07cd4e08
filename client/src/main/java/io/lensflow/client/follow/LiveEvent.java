package io.lensflow.client.follow;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;

/**
 * Something that happened to a request, as it happens. Every event names its attempt: until the
 * terminal event nobody knows which attempt wins, and two may run at once for a while.
 */
public sealed interface LiveEvent {
  /** The request. */
  String requestId();

  /** UUID of the attempt; empty for a request that was refused before any. */
  String attemptId();

  /** A worker has taken the request. */
  record Accepted(CompletionEvent event) implements LiveEvent {
    @Override
    public String requestId() {
      return event.getRequestId();
    }

    @Override
    public String attemptId() {
      return event.getAttemptId();
    }
  }

  /**
   * Another attempt begins: what was shown of earlier ones will most likely not stand. Comes before
   * the new attempt's first event.
   *
   * @param attempt its number, for display
   */
  record Restarted(String requestId, String attemptId, int attempt) implements LiveEvent {}

  /** Tokens were generated. */
  record TokensGenerated(CompletionEvent event) implements LiveEvent {
    @Override
    public String requestId() {
      return event.getRequestId();
    }

    @Override
    public String attemptId() {
      return event.getAttemptId();
    }
  }

  /** A lens has answered for some rows, or reports a gap. */
  record ResultArrived(LensResult result) implements LiveEvent {
    @Override
    public String requestId() {
      return result.getRequestId();
    }

    @Override
    public String attemptId() {
      return result.getAttemptId();
    }
  }

  /** Raw rows. */
  record ChunkArrived(ActivationChunk chunk) implements LiveEvent {
    @Override
    public String requestId() {
      return chunk.getRequestId();
    }

    @Override
    public String attemptId() {
      return chunk.getAttemptId();
    }
  }

  /** An attempt failed; another one follows, or the request fails. */
  record AttemptFailed(CompletionEvent event) implements LiveEvent {
    @Override
    public String requestId() {
      return event.getRequestId();
    }

    @Override
    public String attemptId() {
      return event.getAttemptId();
    }
  }

  /**
   * The request has ended: its first terminal event, which makes this attempt the winner. From here
   * on only the winner's events come.
   */
  record Ended(CompletionEvent event) implements LiveEvent {
    @Override
    public String requestId() {
      return event.getRequestId();
    }

    @Override
    public String attemptId() {
      return event.getAttemptId();
    }
  }

  /**
   * Nothing more will come of the request: all results of the winner have arrived.
   *
   * @param terminal how it ended, as in {@link Ended}
   */
  record Completed(CompletionEvent terminal) implements LiveEvent {
    @Override
    public String requestId() {
      return terminal.getRequestId();
    }

    @Override
    public String attemptId() {
      return terminal.getAttemptId();
    }
  }
}
