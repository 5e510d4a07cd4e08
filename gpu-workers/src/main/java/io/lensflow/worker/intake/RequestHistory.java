package io.lensflow.worker.intake;

/**
 * What {@code completions} says of a request before it is run.
 *
 * @param ended whether it has a terminal event
 * @param attempts attempts that count against the limit
 */
public record RequestHistory(boolean ended, int attempts) {
  /** A request that nobody has seen. */
  public static final RequestHistory NONE = new RequestHistory(false, 0);
}
