package io.lensflow.client;

/** What was waited for did not come before the deadline; the message says what is still missing. */
public final class WaitTimeoutException extends ClientException {
  public WaitTimeoutException(String message) {
    super(message);
  }
}
