package io.lensflow.client;

/**
 * Something that the caller, or whoever runs the broker, has to mend: an unreachable broker, a
 * topic that does not exist, a record that is too large, a wait that ran out. The message is one
 * sentence that says what is wrong and what to do, fit to be shown to a person as it is.
 */
public class ClientException extends RuntimeException {
  public ClientException(String message) {
    super(message);
  }

  public ClientException(String message, Throwable cause) {
    super(message, cause);
  }
}
