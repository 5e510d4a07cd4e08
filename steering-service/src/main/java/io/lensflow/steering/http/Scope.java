package io.lensflow.steering.http;

/** What a caller may do. */
public enum Scope {
  /** Needs no token. */
  PUBLIC,
  /** Look at everything. */
  READ,
  /** Look and change. */
  WRITE
}
