package io.lensflow.decoder.replay;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/**
 * Keeps this process within a share of the machine's processors: what it may spend grows with the
 * time that passes, and what it spent, kernels and all other threads included, is asked of the
 * operating system. What it left unspent it may spend later, but no more than a second's worth, so
 * that a pause is not followed by a long burst. Not thread-safe.
 */
final class ProcessorShare {
  private static final double SECOND = 1e9;

  private final double processors;
  private final LongSupplier wallNanos;
  private final LongSupplier spentNanos;
  private double left;
  private long wall;
  private long spent;

  /**
   * @param processors how many processors' time it may spend, such as 0.25
   * @param wallNanos a clock such as {@link System#nanoTime}
   * @param spentNanos processor time spent so far, nanoseconds
   */
  ProcessorShare(double processors, LongSupplier wallNanos, LongSupplier spentNanos) {
    this.processors = processors;
    this.wallNanos = wallNanos;
    this.spentNanos = spentNanos;
    this.wall = wallNanos.getAsLong();
    this.spent = spentNanos.getAsLong();
  }

  /** Measures this process. */
  static ProcessorShare ofThisProcess(double processors) {
    return new ProcessorShare(processors, System::nanoTime, ProcessorShare::spentByThisProcess);
  }

  /** Processor time of all threads of this process so far, nanoseconds. */
  static long spentByThisProcess() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  /** How long to do nothing from now on; 0 if there is time left to spend. */
  long pauseNanos() {
    long now = wallNanos.getAsLong();
    long spentNow = spentNanos.getAsLong();
    left = Math.min(left + (now - wall) * processors, SECOND * processors);
    left -= spentNow - spent;
    wall = now;
    spent = spentNow;
    return left >= 0 ? 0 : (long) Math.ceil(-left / processors);
  }
}
