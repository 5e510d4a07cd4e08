package io.lensflow.client.follow;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import java.util.List;
import java.util.Optional;

/**
 * What is settled about a request, in this order: one {@link Outcome}; for a finished request its
 * results, chunks and gaps; one {@link Complete}, or one {@link Abandoned} in place of what would
 * have followed.
 */
public sealed interface SettledEvent {
  /** The request. */
  String requestId();

  /**
   * How the request ended. The terminal event's attempt is the winner.
   *
   * @param accepted the winner's {@code ACCEPTED}, if it was seen
   * @param tokens the winner's {@code TOKENS}, in order
   * @param terminal {@code FINISHED}, {@code FAILED} or {@code CANCELLED}
   */
  record Outcome(
      String requestId,
      Optional<CompletionEvent> accepted,
      List<CompletionEvent> tokens,
      CompletionEvent terminal)
      implements SettledEvent {
    public Outcome {
      tokens = List.copyOf(tokens);
    }
  }

  /** Rows of the winner under one lens: each once, positions rising per hook point and layer. */
  record Results(String requestId, LensResult result) implements SettledEvent {}

  /** Raw rows of the winner: each once, in sequence. */
  record Chunk(String requestId, ActivationChunk chunk) implements SettledEvent {}

  /** Rows of the winner that can never be decoded. */
  record Lost(String requestId, LensResult gap) implements SettledEvent {}

  /**
   * Nothing more will come: every row has been handed on or reported as lost.
   *
   * @param terminal how the request ended, as in its {@link Outcome}
   */
  record Complete(String requestId, CompletionEvent terminal) implements SettledEvent {}

  /**
   * The stream has given the request up.
   *
   * @param reason why, for a person
   */
  record Abandoned(String requestId, String reason) implements SettledEvent {}
}
