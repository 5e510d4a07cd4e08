package io.lensflow.platform.registry;

import java.util.Arrays;
import java.util.List;

/**
 * An answer that is an error, by Confluent's codes: the first three digits are the HTTP status.
 * Clients tell "not there" from "not allowed" by them.
 */
final class RegistryError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The topic behind the registry could not be read or written. */
  static final int STORE_FAILED = 50001;

  private final int code;

  private RegistryError(int code, String message) {
    super(message);
    this.code = code;
  }

  int code() {
    return code;
  }

  int status() {
    return code < 1000 ? code : code / 100;
  }

  static RegistryError subjectNotFound(String subject) {
    return new RegistryError(40401, "Subject '" + subject + "' not found.");
  }

  static RegistryError versionNotFound(int version) {
    return new RegistryError(40402, "Version " + version + " not found.");
  }

  static RegistryError schemaNotFound() {
    return new RegistryError(40403, "Schema not found");
  }

  static RegistryError idNotFound(int id) {
    return new RegistryError(40403, "Schema " + id + " not found");
  }

  static RegistryError noSubjectCompatibility(String subject) {
    return new RegistryError(
        40408, "Subject '" + subject + "' does not have subject-level compatibility configured");
  }

  static RegistryError invalidSchema(String reason) {
    return new RegistryError(42201, "Invalid schema: " + reason);
  }

  static RegistryError invalidVersion(String text) {
    return new RegistryError(
        42202,
        "The specified version '"
            + text
            + "' is not a valid version id: a number from 1 to 2147483647, -1, or latest");
  }

  static RegistryError invalidCompatibility(String text) {
    return new RegistryError(
        42203,
        "Invalid compatibility level '"
            + text
            + "': one of "
            + Arrays.toString(CompatibilityLevel.values()));
  }

  static RegistryError incompatible(String subject, List<String> problems) {
    return new RegistryError(
        409,
        "Schema being registered is incompatible with an earlier schema for subject \"%s\", details: %s"
            .formatted(subject, problems));
  }

  static RegistryError storeFailed(String reason) {
    return new RegistryError(STORE_FAILED, "Error in the backend datastore: " + reason);
  }
}
