package io.lensflow.decoder.vector;

/**
 * A vector is named that is not known here, or that was refused; the message says which and why.
 */
public final class UnknownVectorException extends Exception {
  private static final long serialVersionUID = 1L;

  UnknownVectorException(String message) {
    super(message);
  }
}
