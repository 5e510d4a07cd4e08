package io.lensflow.worker.intake;

/** A gate that threads wait at while it is closed. Thread-safe. */
final class Gate {
  private boolean open;
  private boolean stopped;

  /** Opens or closes it. */
  synchronized void set(boolean nowOpen) {
    open = nowOpen;
    notifyAll();
  }

  /** Lets everybody go for good. */
  synchronized void stop() {
    stopped = true;
    notifyAll();
  }

  /** Whether it is open; does not wait. */
  synchronized boolean isOpen() {
    return open && !stopped;
  }

  synchronized boolean isStopped() {
    return stopped;
  }

  /** Waits until it is open or stopped; returns whether to go on. */
  synchronized boolean pass() throws InterruptedException {
    while (!open && !stopped) {
      wait();
    }
    return !stopped;
  }
}
