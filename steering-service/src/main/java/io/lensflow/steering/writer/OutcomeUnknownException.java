package io.lensflow.steering.writer;

/**
 * A change was on its way when the broker stopped to answer, so it may stand or not. Whoever asked
 * looks at the history before trying again, or gives {@code expectedVersion}, which makes trying
 * again safe.
 */
public final class OutcomeUnknownException extends RuntimeException {
  public OutcomeUnknownException(Throwable cause) {
    super(
        "the broker did not say whether the change was written; look at the vector's history before you try again",
        cause);
  }
}
