package io.lensflow.worker;

import io.lensflow.engine.LoadProgress;
import io.lensflow.hub.Bytes;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Says how far the loading of a checkpoint is: in a line for every tenth of it, at most one a
 * second, and at least one every five seconds while anything comes; and at any time to who asks.
 * Thread-safe.
 */
final class LoadReport implements LoadProgress {
  private static final long LEAST_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long MOST_NANOS = Duration.ofSeconds(5).toNanos();

  private final Consumer<String> lines;
  private final LongSupplier nanoTime;
  private long began;
  private long lastLine;
  private long lastTenth;
  private boolean done;
  private volatile String state = "";

  /**
   * @param lines takes a line, without its end
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  LoadReport(Consumer<String> lines, LongSupplier nanoTime) {
    this.lines = lines;
    this.nanoTime = nanoTime;
  }

  /** To be called before each load, the first and those after a failure. */
  synchronized LoadReport begin() {
    began = nanoTime.getAsLong();
    lastLine = began;
    lastTenth = 0;
    done = false;
    state = "";
    return this;
  }

  /** The load is over, one way or the other. */
  synchronized void end() {
    state = "";
  }

  @Override
  public synchronized void read(long bytesRead, long totalBytes) {
    long percent = totalBytes == 0 ? 100 : 100 * bytesRead / totalBytes;
    state = "%d %% of %s read".formatted(percent, Bytes.text(totalBytes));
    long now = nanoTime.getAsLong();
    long since = now - lastLine;
    if (done) {
      return;
    }
    if (bytesRead == totalBytes) {
      done = true;
      lines.accept(
          String.format(
              Locale.ROOT,
              "weights read: %s in %.1f s",
              Bytes.text(totalBytes),
              (now - began) / 1e9));
    } else if (since >= MOST_NANOS || (since >= LEAST_NANOS && percent / 10 > lastTenth)) {
      lines.accept("reading weights: " + state);
      lastLine = now;
      lastTenth = percent / 10;
    }
  }

  /** Such as {@code 42 % of 2.5 GB read}; empty while nothing is being read. */
  String state() {
    return state;
  }
}
