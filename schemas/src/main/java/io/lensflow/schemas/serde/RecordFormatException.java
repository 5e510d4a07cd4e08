package io.lensflow.schemas.serde;

import org.apache.kafka.common.errors.SerializationException;

/**
 * Bytes that are no record of the expected type, and never will be: trying again is in vain, the
 * record belongs to the dead letters. The message says what is wrong with it.
 */
public final class RecordFormatException extends SerializationException {
  private static final long serialVersionUID = 1L;

  public RecordFormatException(String reason) {
    super(reason);
  }

  public RecordFormatException(String reason, Throwable cause) {
    super(reason, cause);
  }
}
