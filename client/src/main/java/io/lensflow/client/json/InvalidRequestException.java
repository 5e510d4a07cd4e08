package io.lensflow.client.json;

/** A request that cannot be understood. The message says what is wrong and how to mend it. */
public final class InvalidRequestException extends IllegalArgumentException {
  private final String field;

  /**
   * @param field path of the field at fault, such as {@code lenses[0].topK}; null if none is
   * @param message one sentence
   */
  public InvalidRequestException(String field, String message) {
    super(message);
    this.field = field;
  }

  /** Path of the field at fault, or null. */
  public String field() {
    return field;
  }
}
