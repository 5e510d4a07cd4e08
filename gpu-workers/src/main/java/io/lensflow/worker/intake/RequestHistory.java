package io.lensflow.worker.intake;

import java.util.List;

/**
 * What {@code completions} says of a request before it is run. Immutable.
 *
 * @param ended whether it has a terminal event
 * @param attempts attempts that count against the limit, in the order in which they began
 */
public record RequestHistory(boolean ended, List<PastAttempt> attempts) {
  /** A request that nobody has seen. */
  public static final RequestHistory NONE = new RequestHistory(false, List.of());

  public RequestHistory {
    attempts = List.copyOf(attempts);
  }
}
