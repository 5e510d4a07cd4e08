package io.lensflow.worker.intake;

/**
 * A gate that threads wait at while it is closed, while all places behind it are taken, or while
 * fewer threads are wanted. Thread-safe.
 */
final class Gate {
  private final int places;
  private boolean open;
  private boolean stopped;
  private int taken;
  private int threads = Integer.MAX_VALUE;

  /**
   * @param places how many may be taken at a time
   */
  Gate(int places) {
    this.places = places;
  }

  /** Opens or closes it. */
  synchronized void set(boolean nowOpen) {
    open = nowOpen;
    notifyAll();
  }

  /** Lets only threads of numbers below this pass. */
  synchronized void wanted(int count) {
    threads = count;
    notifyAll();
  }

  /** Takes a place; several threads that have passed may together take more than there are. */
  synchronized void take() {
    taken++;
  }

  /** Gives a place back. */
  synchronized void give() {
    taken--;
    notifyAll();
  }

  /** Lets everybody go for good. */
  synchronized void stop() {
    stopped = true;
    notifyAll();
  }

  /** Whether it is open and has a place; does not wait. */
  synchronized boolean isOpen() {
    return open && taken < places && !stopped;
  }

  synchronized boolean isStopped() {
    return stopped;
  }

  /** Whether a thread of this number is wanted. */
  synchronized boolean wants(int number) {
    return number < threads && !stopped;
  }

  /** Waits until the thread of this number is wanted; returns whether to go on. */
  synchronized boolean awaitNeed(int number) throws InterruptedException {
    while (number >= threads && !stopped) {
      wait();
    }
    return !stopped;
  }

  /** Waits until a thread may pass, or this one is not wanted; returns whether it may. */
  synchronized boolean pass(int number) throws InterruptedException {
    while ((!open || taken >= places) && wants(number)) {
      wait();
    }
    return wants(number);
  }
}
