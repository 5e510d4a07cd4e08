package io.lensflow.steering.pipeline;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.LensResult;
import java.util.List;
import java.util.Optional;

/**
 * What became of one request: all that its winning attempt sent. Immutable.
 *
 * @param terminal how it ended; null where nobody said in time
 * @param tokens its generated tokens, in order
 * @param chunks its raw rows, in sequence
 * @param results what lenses said of its rows
 * @param failure why it has no rows or tokens; empty if it has finished
 */
public record Answer(
    CompletionEvent terminal,
    List<CompletionEvent> tokens,
    List<ActivationChunk> chunks,
    List<LensResult> results,
    Optional<Failure> failure) {
  public Answer {
    tokens = List.copyOf(tokens);
    chunks = List.copyOf(chunks);
    results = List.copyOf(results);
  }

  /** One that has not been answered in full. */
  static Answer failed(CompletionEvent terminal, Failure failure) {
    return new Answer(terminal, List.of(), List.of(), List.of(), Optional.of(failure));
  }

  /** Why a request ended without finishing; empty if it has finished. */
  static Optional<Failure> failureOf(CompletionEvent terminal) {
    if (terminal.getType() == CompletionType.FINISHED) {
      return Optional.empty();
    }
    return Optional.of(
        terminal.getFailure() != null
            ? terminal.getFailure()
            : new Failure(terminal.getType().name(), "the request was cancelled", null));
  }
}
