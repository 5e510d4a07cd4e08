package io.lensflow.worker.request;

import io.lensflow.records.Failure;

/**
 * A request cannot be served as it stands. Carries what the sender needs to mend it.
 *
 * <p>Thrown inside a worker and answered with a {@code FAILED} event; it never reaches a caller as
 * an exception.
 */
public final class InvalidRequestException extends Exception {
  private static final long serialVersionUID = 1L;

  /** A field of the request is wrong. */
  public static final String INVALID_REQUEST = "INVALID_REQUEST";

  /** The request names a model or a revision that this worker does not serve. */
  public static final String MODEL_NOT_SERVED = "MODEL_NOT_SERVED";

  /** Prompt and output do not fit into the model's context or the worker's cache. */
  public static final String TOO_LONG = "TOO_LONG";

  private final String code;
  private final String field;

  /**
   * @param code stable code
   * @param field path of the field at fault, such as {@code capture.layers}
   * @param message one sentence: what is wrong and how to mend it
   */
  public InvalidRequestException(String code, String field, String message) {
    super(message);
    this.code = code;
    this.field = field;
  }

  /** As the record that the sender gets. */
  public Failure failure() {
    return new Failure(code, getMessage(), field);
  }
}
