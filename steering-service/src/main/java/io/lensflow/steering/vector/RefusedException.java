package io.lensflow.steering.vector;

import io.lensflow.records.Failure;

/**
 * A change or a look-up that is refused because of what was asked, not because of what broke. Over
 * HTTP it becomes an answer, for a command a dead letter.
 */
public final class RefusedException extends RuntimeException {
  /** Why. */
  public enum Reason {
    /** What was asked makes no sense. */
    INVALID,
    /** What it is about does not exist. */
    UNKNOWN,
    /** It would contradict what is there. */
    CONFLICT,
    /** There is too much of it already; later it may be possible. */
    BUSY
  }

  private final Reason reason;
  private final String code;
  private final String field;
  private final Integer currentVersion;

  private RefusedException(
      Reason reason, String code, String field, String message, Integer currentVersion) {
    super(field == null ? message : field + ": " + message);
    this.reason = reason;
    this.code = code;
    this.field = field;
    this.currentVersion = currentVersion;
  }

  /**
   * A field's value is wrong.
   *
   * @param field path of the field, such as {@code sites[2].layer}
   * @param message what is wrong and how to mend it
   */
  public static RefusedException invalid(String field, String message) {
    return new RefusedException(Reason.INVALID, "INVALID_REQUEST", field, message, null);
  }

  /** What was named does not exist. */
  public static RefusedException unknown(String field, String message) {
    return new RefusedException(Reason.UNKNOWN, "NOT_FOUND", field, message, null);
  }

  /** The change contradicts what is there. */
  public static RefusedException conflict(String code, String field, String message) {
    return new RefusedException(Reason.CONFLICT, code, field, message, null);
  }

  /** There is too much to do already. */
  public static RefusedException busy(String code, String message) {
    return new RefusedException(Reason.BUSY, code, null, message, null);
  }

  /**
   * Somebody else's change came first.
   *
   * @param current the version that is current, 0 for none
   */
  public static RefusedException outdated(int expected, int current) {
    return new RefusedException(
        Reason.CONFLICT,
        "VERSION_CONFLICT",
        "expectedVersion",
        "expected version %d, but %s is current; look at what changed and try again with that"
            .formatted(expected, current == 0 ? "none (0)" : "version " + current),
        current);
  }

  /** Why. */
  public Reason reason() {
    return reason;
  }

  /** Stable code for programs. */
  public String code() {
    return code;
  }

  /**
   * Records of another model stand under the same keys.
   *
   * @param other that model
   */
  public static RefusedException modelNameTaken(String model, String other) {
    return conflict(
        "MODEL_NAME_TAKEN",
        "model",
        "records of model '%s' stand under the same keys; serve '%s' under another name"
            .formatted(other, model));
  }

  /** The message without the field that it begins with. */
  public String detail() {
    return field == null ? getMessage() : getMessage().substring(field.length() + 2);
  }

  /** Path of the field at fault; null if none is. */
  public String field() {
    return field;
  }

  /** For a version conflict the version that is current, 0 for none; else null. */
  public Integer currentVersion() {
    return currentVersion;
  }

  /** The same as a record. */
  public Failure toFailure() {
    return new Failure(code, getMessage(), field);
  }
}
