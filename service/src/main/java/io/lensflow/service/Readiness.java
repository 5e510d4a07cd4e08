package io.lensflow.service;

/**
 * Whether a service can do its work now.
 *
 * @param ready whether it can
 * @param reason what it waits for; empty if ready
 */
public record Readiness(boolean ready, String reason) {
  /** Ready. */
  public static final Readiness READY = new Readiness(true, "");

  /** Not ready, and why. */
  public static Readiness waitingFor(String reason) {
    return new Readiness(false, reason);
  }
}
