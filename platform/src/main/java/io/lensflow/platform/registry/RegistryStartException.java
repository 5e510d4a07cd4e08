package io.lensflow.platform.registry;

/** The embedded registry did not start; the message says why and what to do. */
public final class RegistryStartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RegistryStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
