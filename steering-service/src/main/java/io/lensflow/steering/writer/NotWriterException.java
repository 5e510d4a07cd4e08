package io.lensflow.steering.writer;

/** This instance does not write now; another one may. Nothing was written. */
public final class NotWriterException extends RuntimeException {
  public NotWriterException(String message) {
    super(message);
  }

  public NotWriterException(String message, Throwable cause) {
    super(message, cause);
  }
}
