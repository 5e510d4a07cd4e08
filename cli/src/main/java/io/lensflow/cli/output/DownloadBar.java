package io.lensflow.cli.output;

import io.lensflow.hub.Bytes;
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
  private static final int LEAST_BAR = 10;
  private static final int LONGEST_BAR = 40;

  private final PrintStream out;
  private final int columns;
  private final LongSupplier nanoTime;
  private final DownloadPace pace;
  private boolean drawn;
  private boolean ended;
  private long lastDrawn;

  /**
   * @param out the terminal
   * @param columns its width in characters
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  public DownloadBar(PrintStream out, int columns, LongSupplier nanoTime) {
    this.out = out;
    this.columns = columns;
    this.nanoTime = nanoTime;
    this.pace = new DownloadPace(nanoTime);
  }

  @Override
  public synchronized void update(Status status) {
    pace.update(status);
    long now = nanoTime.getAsLong();
    if (ended || drawn && !status.complete() && now - lastDrawn < REDRAW_NANOS) {
      return;
    }
    lastDrawn = now;
    drawn = true;
    out.print("\r" + line(status));
    out.flush();
    if (status.complete()) {
      close();
    }
  }

  /** As wide as the terminal less one: in the last column some terminals begin a new line. */
  private String line(Status status) {
    double share = status.bytes() == 0 ? 1 : (double) status.bytesDone() / status.bytes();
    String before = status.model().name() + " ";
    String after =
        " %3d %% of %s".formatted((int) Math.floor(100 * share), Bytes.text(status.bytes()));
    String left = status.complete() ? "" : pace.text();
    if (!left.isEmpty()) {
      after += ", " + left;
    }
    // Room for the longest text, so that the bar does not change its width from line to line.
    int room = columns - 1 - before.length() - WIDEST_TEXT - 2;
    String line =
        before + (room < LEAST_BAR ? "" : bar(share, Math.min(room, LONGEST_BAR))) + after;
    return line.length() >= columns
        ? line.substring(0, columns - 1)
        : line + " ".repeat(columns - 1 - line.length());
  }

  private static String bar(double share, int width) {
    int filled = (int) Math.floor(share * width);
    return "[" + "#".repeat(filled) + ".".repeat(width - filled) + "]";
  }

  /** Ends the line, so that what comes next stands below it. Closing twice is harmless. */
  @Override
  public synchronized void close() {
    if (drawn && !ended) {
      out.println();
    }
    ended = true;
  }
}
