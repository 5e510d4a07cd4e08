package io.lensflow.testkit;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for something that happens elsewhere, no longer than needed. */
public final class Await {
  private static final Duration POLL = Duration.ofMillis(10);

  private Await() {}

  /**
   * Returns as soon as the condition holds.
   *
   * @throws AssertionError if it does not within {@code limit}
   */
  public static void until(Duration limit, BooleanSupplier condition) {
    until("the condition", limit, condition);
  }

  /**
   * Returns as soon as the condition holds.
   *
   * @param what names the condition in the error
   * @throws AssertionError if it does not within {@code limit}
   */
  public static void until(String what, Duration limit, BooleanSupplier condition) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(what + " did not come true within " + limit);
      }
      LockSupport.parkNanos(POLL.toNanos());
      if (Thread.interrupted()) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what);
      }
    }
  }
}
