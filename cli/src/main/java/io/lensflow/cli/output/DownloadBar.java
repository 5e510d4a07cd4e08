package io.lensflow.cli.output;

import io.lensflow.hub.DownloadPace;
import io.lensflow.hub.DownloadProgress;
import java.io.PrintStream;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * A download as one line of a terminal that is drawn over and over: {@code SmolLM2 [####....] 42 %
 * of 269 MB, 12 MB/s, 0:13 left}. Heard by one download; closed when that ends, however it ends.
 */
public final class DownloadBar implements DownloadProgress, AutoCloseable {
  private static final long REDRAW_NANOS = Duration.ofMillis(100).toNanos();
  private static final int WIDEST_TEXT = " 100 % of 999 GB, 999 MB/s, 999:59 left".length();

  private final BarLine line;
  private final LongSupplier nanoTime;
  private final DownloadPace pace;
  private boolean ended;
  private long lastDrawn;

  /**
   * @param out the terminal
   * @param columns its width in characters
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  public DownloadBar(PrintStream out, int columns, LongSupplier nanoTime) {
    this.line = new BarLine(out, columns, WIDEST_TEXT);
    this.nanoTime = nanoTime;
    this.pace = new DownloadPace(nanoTime);
  }

  @Override
  public synchronized void update(Status status) {
    pace.update(status);
    long now = nanoTime.getAsLong();
    if (ended || line.isDrawn() && !status.complete() && now - lastDrawn < REDRAW_NANOS) {
      return;
    }
    lastDrawn = now;
    line.draw(
        status.model().name(),
        status.bytes(),
        status.bytesDone(),
        status.complete() ? "" : pace.text());
    if (status.complete()) {
      close();
    }
  }

  /** Ends the line, so that what comes next stands below it. Closing twice is harmless. */
  @Override
  public synchronized void close() {
    line.end();
    ended = true;
  }
}
