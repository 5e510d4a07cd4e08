package io.lensflow.service;

/** A setting is unknown or has a bad value. The message names its key and says what is right. */
public final class SettingsException extends RuntimeException {
  public SettingsException(String message) {
    super(message);
  }

  public SettingsException(String message, Throwable cause) {
    super(message, cause);
  }
}
