package io.lensflow.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Closes a stream that brings nothing for too long, which ends the read that waits for it: the HTTP
 * client itself only limits the time up to the head of an answer. Read by one thread.
 */
final class StallGuard extends InputStream {
  private static final int CHECKS = 4;
  private static final ScheduledThreadPoolExecutor TIMER = timer();

  private final InputStream body;
  private final Duration limit;
  private final Future<?> watch;
  private volatile long lastByte = System.nanoTime();
  private volatile boolean stalled;

  StallGuard(InputStream body, Duration limit) {
    this.body = body;
    this.limit = limit;
    long interval = Math.max(1, limit.toNanos() / CHECKS);
    this.watch =
        TIMER.scheduleWithFixedDelay(this::check, interval, interval, TimeUnit.NANOSECONDS);
  }

  /** One thread for all streams, which ends when there have been none for a while. */
  private static ScheduledThreadPoolExecutor timer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "model-download-timer");
              thread.setDaemon(true);
              return thread;
            });
    timer.setRemoveOnCancelPolicy(true);
    timer.setKeepAliveTime(1, TimeUnit.SECONDS);
    timer.allowCoreThreadTimeOut(true);
    return timer;
  }

  private void check() {
    if (System.nanoTime() - lastByte > limit.toNanos()) {
      stalled = true;
      try {
        body.close();
      } catch (IOException e) {
        // The reader hears of it.
      }
    }
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count;
    try {
      count = body.read(target, offset, length);
    } catch (IOException e) {
      throw stalled ? stall() : e;
    }
    if (stalled) {
      throw stall();
    }
    lastByte = System.nanoTime();
    return count;
  }

  private IOException stall() {
    return new IOException("nothing came for " + limit.toSeconds() + " s");
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public void close() throws IOException {
    watch.cancel(false);
    body.close();
  }
}
