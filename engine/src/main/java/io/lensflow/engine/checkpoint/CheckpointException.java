package io.lensflow.engine.checkpoint;

import java.io.IOException;

/** A checkpoint is missing, broken or of a kind that is not supported; the message says which. */
public final class CheckpointException extends IOException {
  private static final long serialVersionUID = 1;

  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
