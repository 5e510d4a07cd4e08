package io.lensflow.worker;

/** A worker cannot start. The message says why and how to mend it. */
public final class WorkerStartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public WorkerStartException(String message) {
    super(message);
  }

  public WorkerStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
