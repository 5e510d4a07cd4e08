package io.lensflow.worker.intake;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * A gate that threads wait at while it is closed, while all places behind it are taken, or while
 * fewer threads are wanted. A thread that is not wanted any more stays for a while: it may be
 * wanted again soon. Thread-safe.
 */
final class Gate {
  /** How often a waiting thread looks whether it has stayed for long enough. */
  private static final long LOOK_MILLIS = 1_000;

  private final int places;
  private final Duration linger;
  private final LongSupplier nanoTime;
  private boolean open;
  private boolean stopped;
  private int taken;
  private int threads = Integer.MAX_VALUE;

  /** How many were wanted last. */
  private int wanted = Integer.MAX_VALUE;

  /** When all that may pass were wanted last. */
  private long allWantedAt;

  /**
   * @param places how many may be taken at a time
   * @param linger how long threads stay that are not wanted any more
   * @param nanoTime a monotonic clock
   */
  Gate(int places, Duration linger, LongSupplier nanoTime) {
    this.places = places;
    this.linger = linger;
    this.nanoTime = nanoTime;
  }

  /** Opens or closes it. */
  synchronized void set(boolean nowOpen) {
    open = nowOpen;
    notifyAll();
  }

  /** Lets only threads of numbers below this pass; those above after a while. */
  synchronized void wanted(int count) {
    dismiss();
    if (wanted >= threads || count >= threads) {
      allWantedAt = nanoTime.getAsLong();
    }
    threads = threads == Integer.MAX_VALUE ? count : Math.max(threads, count);
    wanted = count;
    notifyAll();
  }

  private void dismiss() {
    if (nanoTime.getAsLong() - allWantedAt >= linger.toNanos()) {
      threads = wanted;
    }
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
    dismiss();
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
      wait(LOOK_MILLIS);
    }
    return wants(number);
  }
}
