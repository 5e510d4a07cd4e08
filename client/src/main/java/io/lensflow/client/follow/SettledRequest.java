package io.lensflow.client.follow;

import io.lensflow.client.WaitTimeoutException;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All that is settled about one request, gathered in memory: for requests of a size that the caller
 * knows. Immutable lists of records.
 *
 * @param requestId the request
 * @param accepted the winner's {@code ACCEPTED}, if it was seen
 * @param tokens the winner's {@code TOKENS}, in order
 * @param terminal how it ended
 * @param results results of the winner, in order per (hook point, layer)
 * @param chunks raw chunks of the winner, if the subscription asked for them
 * @param lost gaps: rows that can never be decoded
 */
public record SettledRequest(
    String requestId,
    Optional<CompletionEvent> accepted,
    List<CompletionEvent> tokens,
    CompletionEvent terminal,
    List<LensResult> results,
    List<ActivationChunk> chunks,
    List<LensResult> lost) {
  public SettledRequest {
    tokens = List.copyOf(tokens);
    results = List.copyOf(results);
    chunks = List.copyOf(chunks);
    lost = List.copyOf(lost);
  }

  /**
   * Reads a stream of one request to its end.
   *
   * @param timeout how long the whole may take
   * @throws WaitTimeoutException if it takes longer, or was given up; the message says what is
   *     missing
   */
  public static SettledRequest gather(SettledStream stream, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    SettledEvent.Outcome outcome = null;
    List<LensResult> results = new ArrayList<>();
    List<ActivationChunk> chunks = new ArrayList<>();
    List<LensResult> lost = new ArrayList<>();
    while (true) {
      long left = Math.max(0, deadline - System.nanoTime());
      SettledEvent event =
          stream
              .next(Duration.ofNanos(left))
              .orElseThrow(
                  () ->
                      new WaitTimeoutException(
                          "request %s is not settled after %.1f s; missing: %s"
                              .formatted(
                                  stream.subscription.requestId().orElse("?"),
                                  timeout.toMillis() / 1000.0,
                                  stream.missing().orElse("nothing"))));
      if (event instanceof SettledEvent.Outcome ended) {
        outcome = ended;
      } else if (event instanceof SettledEvent.Results rows) {
        results.add(rows.result());
      } else if (event instanceof SettledEvent.Chunk rows) {
        chunks.add(rows.chunk());
      } else if (event instanceof SettledEvent.Lost gap) {
        lost.add(gap.gap());
      } else if (event instanceof SettledEvent.Abandoned given) {
        throw new WaitTimeoutException(
            "request %s was given up: %s".formatted(given.requestId(), given.reason()));
      } else {
        return new SettledRequest(
            event.requestId(),
            outcome.accepted(),
            outcome.tokens(),
            outcome.terminal(),
            results,
            chunks,
            lost);
      }
    }
  }
}
