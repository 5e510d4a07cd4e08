package io.lensflow.hub;

import java.io.IOException;
import java.time.Duration;

/** A failure of the moment; trying again may help. */
final class TransientException extends IOException {
  private static final long serialVersionUID = 1;

  private final Duration requestedWait;

  /**
   * @param requestedWait how long the server asks to wait; zero where it does not say
   */
  TransientException(String message, Duration requestedWait) {
    super(message);
    this.requestedWait = requestedWait;
  }

  Duration requestedWait() {
    return requestedWait;
  }
}
