package io.lensflow.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * How fast a download goes, by its last seconds, and how long it will take. Not thread-safe: for
 * use in a {@link DownloadProgress}.
 */
public final class DownloadPace {
  private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long SAMPLE_NANOS = Duration.ofMillis(250).toNanos();

  private record Sample(long nanos, long received) {}

  private final LongSupplier nanoTime;
  private final Deque<Sample> samples = new ArrayDeque<>();
  private DownloadProgress.Status last;
  private long lastNanos;

  /**
   * @param nanoTime a clock such as {@link System#nanoTime()}
   */
  public DownloadPace(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Takes note of how far it is. */
  public void update(DownloadProgress.Status status) {
    last = status;
    lastNanos = nanoTime.getAsLong();
    if (samples.isEmpty() || lastNanos - samples.getLast().nanos >= SAMPLE_NANOS) {
      samples.addLast(new Sample(lastNanos, status.bytesReceived()));
    }
    while (samples.size() > 2 && lastNanos - samples.getFirst().nanos > WINDOW_NANOS) {
      samples.removeFirst();
    }
  }

  /** Bytes per second over the network; 0 where it is too early to say. */
  public double bytesPerSecond() {
    if (samples.isEmpty() || lastNanos - samples.getFirst().nanos < SAMPLE_NANOS) {
      return 0;
    }
    Sample first = samples.getFirst();
    return (last.bytesReceived() - first.received) * 1e9 / (lastNanos - first.nanos);
  }

  /** Time until the rest has come at this pace; empty where it cannot be said. */
  public Optional<Duration> remaining() {
    double rate = bytesPerSecond();
    return rate <= 0
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(Math.round((last.bytes() - last.bytesDone()) / rate)));
  }

  /** Such as {@code 12 MB/s, 1:05 left}; empty where it is too early to say. */
  public String text() {
    return remaining()
        .map(
            left ->
                "%s/s, %d:%02d left"
                    .formatted(
                        Bytes.text(bytesPerSecond()), left.toMinutes(), left.toSecondsPart()))
        .orElse("");
  }
}
