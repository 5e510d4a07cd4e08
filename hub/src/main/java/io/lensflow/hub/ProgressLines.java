package io.lensflow.hub;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Progress as a plain line now and then, for logs and for where there is no terminal: one when it
 * begins, one each interval, one when it is done. For one download at a time.
 */
public final class ProgressLines implements DownloadProgress {
  private static final Duration USUAL_INTERVAL = Duration.ofSeconds(10);

  private final Consumer<String> lines;
  private final Duration interval;
  private final LongSupplier nanoTime;
  private final DownloadPace pace;
  private boolean begun;
  private long lastLine;

  /** A line every ten seconds. */
  public ProgressLines(Consumer<String> lines) {
    this(lines, USUAL_INTERVAL, System::nanoTime);
  }

  /**
   * @param lines takes a line, without its end
   * @param interval least time between lines
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  public ProgressLines(Consumer<String> lines, Duration interval, LongSupplier nanoTime) {
    this.lines = lines;
    this.interval = interval;
    this.nanoTime = nanoTime;
    this.pace = new DownloadPace(nanoTime);
  }

  @Override
  public void update(Status status) {
    pace.update(status);
    long now = nanoTime.getAsLong();
    if (!begun) {
      begun = true;
      lastLine = now;
      lines.accept(
          "fetching %s: %d files, %s"
              .formatted(status.model(), status.files(), Bytes.text(status.bytes())));
    }
    if (status.complete()) {
      begun = false;
      lines.accept("fetched %s: %s".formatted(status.model(), Bytes.text(status.bytes())));
    } else if (now - lastLine >= interval.toNanos()) {
      lastLine = now;
      String text = pace.text();
      lines.accept(
          "fetching %s: %s of %s (%d %%), %d of %d files%s"
              .formatted(
                  status.model(),
                  Bytes.text(status.bytesDone()),
                  Bytes.text(status.bytes()),
                  status.bytes() == 0 ? 100 : 100 * status.bytesDone() / status.bytes(),
                  status.filesDone(),
                  status.files(),
                  text.isEmpty() ? "" : ", " + text));
    }
  }
}
