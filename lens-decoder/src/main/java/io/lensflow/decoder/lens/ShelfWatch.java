package io.lensflow.decoder.lens;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scans a shelf again and again, on a thread of its own, so that a lens that is written while the
 * decoder runs is used without a restart. Polling, because notifications of file systems do not
 * come over network mounts. Thread-safe.
 */
public final class ShelfWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ShelfWatch.class);

  private final LensShelf shelf;
  private final ScheduledExecutorService thread;

  private ShelfWatch(LensShelf shelf) {
    this.shelf = shelf;
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread made = new Thread(work, "lens-shelf");
              made.setDaemon(true);
              return made;
            });
  }

  /** Scans at once, on the caller's thread, and from then on by itself. */
  public static ShelfWatch start(LensShelf shelf, Duration interval) {
    shelf.scan();
    ShelfWatch watch = new ShelfWatch(shelf);
    long nanos = interval.toNanos();
    watch.thread.scheduleWithFixedDelay(watch::scan, nanos, nanos, TimeUnit.NANOSECONDS);
    return watch;
  }

  private void scan() {
    try {
      shelf.scan();
    } catch (RuntimeException e) {
      // Thrown, it would be the last scan.
      log.error("the folder of lenses could not be scanned", e);
    }
  }

  /** Stops and frees all lenses. To be called when nothing is decoded any more. */
  @Override
  public void close() {
    thread.shutdown();
    boolean interrupted = false;
    try {
      while (!thread.awaitTermination(1, TimeUnit.SECONDS)) {
        log.info("waiting for a lens that is being loaded");
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    shelf.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
