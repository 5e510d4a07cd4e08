package io.lensflow.worker.intake;

/**
 * An attempt at a request that did not bring it to an end. Immutable.
 *
 * @param id its UUID
 * @param worker name of the worker; empty if not known
 * @param trouble why it failed; empty if nobody said so: its process died, or was cut off
 */
public record PastAttempt(String id, String worker, String trouble) {
  /** In words, for who looks into a request that was given up. */
  String describe() {
    return "%s on worker %s: %s"
        .formatted(
            id,
            worker.isEmpty() ? "unknown" : worker,
            trouble.isEmpty() ? "never ended, so its process died or was cut off" : trouble);
  }
}
