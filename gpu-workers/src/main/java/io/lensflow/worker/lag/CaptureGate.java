package io.lensflow.worker.lag;

/** Says whether a request that captures may run now. Thread-safe. */
public interface CaptureGate {
  /** Nobody is ever held up. */
  CaptureGate OPEN =
      new CaptureGate() {
        @Override
        public boolean isHeldUp(String requestId) {
          return false;
        }

        @Override
        public String reason() {
          return "";
        }
      };

  /** Whether the request's rows have to wait for the decoder. */
  boolean isHeldUp(String requestId);

  /** Why requests are held up, in words; empty if none is. */
  String reason();
}
