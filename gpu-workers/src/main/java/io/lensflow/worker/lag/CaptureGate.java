package io.lensflow.worker.lag;

/** Says whether a request that captures may run now. Thread-safe. */
public interface CaptureGate {
  /** Whether the request's rows have to wait for the decoder. */
  boolean isHeldUp(String requestId);

  /** Why requests are held up, in words; empty if none is. */
  String reason();
}
