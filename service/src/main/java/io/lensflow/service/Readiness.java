package io.lensflow.service;

/**
 * Whether a service can do its work now.
 *
 * @param ready whether it can
 * @param reason what it waits for; if it is ready, what it cannot do all the same, empty if nothing
 */
public record Readiness(boolean ready, String reason) {
  /** Ready. */
  public static final Readiness READY = new Readiness(true, "");

  /** Ready, but for what the sentence says; empty for nothing. */
  public static Readiness readyBut(String limitation) {
    return limitation.isEmpty() ? READY : new Readiness(true, limitation);
  }

  /** Not ready, and why. */
  public static Readiness waitingFor(String reason) {
    return new Readiness(false, reason);
  }
}
