package io.lensflow.hub;

import java.io.IOException;

/** A model cannot be had; the message says what was tried and what would help. */
public class HubException extends IOException {
  private static final long serialVersionUID = 1;

  public HubException(String message) {
    super(message);
  }

  public HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
