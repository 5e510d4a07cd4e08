package io.lensflow.engine.model;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where ranks meet: nobody leaves before all have come.
 *
 * <p>Ranks that run at the same time meet within microseconds of each other, twice a layer, while
 * waking a sleeping thread takes tens of them: so a rank first spins. Where there are more ranks
 * than processors it sleeps at once, since the one that it waits for needs the processor.
 *
 * <p>Thread-safe. What a rank wrote before it came is seen by all after they left. An interrupt is
 * kept for later: the others are about to come, and a rank that left alone would break them all.
 */
final class Rendezvous {
  /** Some hundred microseconds. */
  private static final int SPINS = 10_000;

  private final int parties;
  private final int spins;
  private final AtomicInteger arrived = new AtomicInteger();
  private volatile int round;
  private volatile int sleeping;
  private volatile Throwable broken;

  Rendezvous(int parties) {
    this.parties = parties;
    this.spins = parties <= Runtime.getRuntime().availableProcessors() ? SPINS : 0;
  }

  /**
   * Waits until all have come.
   *
   * @throws IllegalStateException if one never will, because it failed
   */
  void meet() {
    int mine = round;
    if (arrived.incrementAndGet() == parties) {
      arrived.set(0);
      round = mine + 1;
      if (sleeping > 0) {
        wakeAll();
      }
    } else {
      for (int i = 0; i < spins && round == mine && broken == null; i++) {
        Thread.onSpinWait();
      }
      if (round == mine && broken == null) {
        sleepUntilAfter(mine);
      }
    }
    if (broken != null) {
      throw new IllegalStateException("another rank failed", broken);
    }
  }

  private synchronized void sleepUntilAfter(int mine) {
    boolean interrupted = false;
    sleeping++;
    while (round == mine && broken == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    sleeping--;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void wakeAll() {
    notifyAll();
  }

  /** Sends everybody away, for good: this rank failed. */
  synchronized void breakUp(Throwable cause) {
    if (broken == null) {
      broken = cause;
    }
    notifyAll();
  }

  /** Why nobody meets here any more; null while they do. */
  Throwable broken() {
    return broken;
  }
}
