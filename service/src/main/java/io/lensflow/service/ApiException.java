package io.lensflow.service;

/**
 * A request over HTTP that cannot be served. {@link OpsServer} answers it as {@code {"error":
 * {"code", "message", "field"}}}.
 */
public final class ApiException extends RuntimeException {
  private final int status;
  private final String code;
  private final String field;

  /**
   * @param status HTTP status
   * @param code stable code for programs, such as {@code INVALID_REQUEST}
   * @param message one sentence for people: what is wrong and how to mend it
   * @param field path of the field at fault; null if none is
   */
  public ApiException(int status, String code, String message, String field) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** HTTP status. */
  public int status() {
    return status;
  }

  /** Stable code for programs. */
  public String code() {
    return code;
  }

  /** Path of the field at fault, or null. */
  public String field() {
    return field;
  }
}
