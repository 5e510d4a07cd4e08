package io.lensflow.decoder.delivery;

/**
 * One stretch of time in which a partition is ours and its offsets run on without a step back. Work
 * carries its epoch; when that is over, what comes back from the kernel is dropped. Thread-safe.
 */
final class Epoch {
  private volatile boolean over;

  boolean isOver() {
    return over;
  }

  void end() {
    over = true;
  }
}
