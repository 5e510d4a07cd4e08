package io.lensflow.schemas.registry;

import org.apache.kafka.common.KafkaException;

/**
 * The schema registry could not be reached, or refused. The message names its address, what was
 * asked, and what it answered.
 */
public final class SchemaRegistryException extends KafkaException {
  private static final long serialVersionUID = 1L;
  private static final int UNREACHABLE = 0;
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  private final int status;
  private final int errorCode;

  SchemaRegistryException(String message, Throwable cause) {
    super(message, cause);
    this.status = UNREACHABLE;
    this.errorCode = 0;
  }

  SchemaRegistryException(String message, int status, int errorCode) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }

  /** HTTP status of the answer; 0 if there was none. */
  public int status() {
    return status;
  }

  /** The registry's own code, such as 40403; 0 if it gave none. */
  public int errorCode() {
    return errorCode;
  }

  /**
   * Whether the registry answered that it has no such thing. A bare 404 without the registry's code
   * is not that answer: it comes from a wrong address.
   */
  public boolean isNotFound() {
    return status == NOT_FOUND && errorCode / 100 == NOT_FOUND;
  }

  /** Whether it refused a schema that breaks the subject's compatibility. */
  public boolean isIncompatible() {
    return status == CONFLICT;
  }

  /** Whether the same call may succeed later: no answer, or a fault on the registry's side. */
  public boolean isRetryable() {
    return status == UNREACHABLE || status >= 500;
  }
}
