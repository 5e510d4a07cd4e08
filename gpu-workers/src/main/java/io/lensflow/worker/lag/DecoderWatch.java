package io.lensflow.worker.lag;

import io.lensflow.schemas.ids.Partitions;
import io.lensflow.worker.WorkerMetrics;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches how far the model's decoder is behind on {@code activations}, on a thread of its own, and
 * holds up requests that capture while their rows would push out unread ones. While the broker does
 * not answer the last reading stands. Thread-safe.
 */
public final class DecoderWatch implements CaptureGate, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DecoderWatch.class);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  /** What becomes of requests that capture while the decoder is behind. */
  public enum OnLag {
    /** They wait. */
    BLOCK,
    /** They go on, and rows that are not decoded yet may be lost. */
    LOSE
  }

  /**
   * @param onLag what becomes of requests that capture
   * @param interval time between two readings
   */
  public record Settings(OnLag onLag, Duration interval) {}

  /**
   * What is watched.
   *
   * @param group id of the decoder's group
   * @param topic name of {@code activations}
   * @param partitions how many partitions it has
   */
  public record Target(String group, String topic, int partitions) {}

  private final Settings settings;
  private final Target target;
  private final LagReader reader;
  private final WorkerMetrics metrics;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread = new Thread(this::run, "decoder-watch");
  private volatile DecoderLag lag = DecoderLag.UNKNOWN;
  private volatile Runnable listener = () -> {};
  private boolean answered = true;

  private DecoderWatch(Settings settings, Target target, Admin admin, WorkerMetrics metrics) {
    this.settings = settings;
    this.target = target;
    this.reader = new LagReader(admin, target.group(), target.topic(), target.partitions());
    this.metrics = metrics;
    thread.setDaemon(true);
  }

  /**
   * Looks once, so that the first request already waits if it has to.
   *
   * @param admin closed with the watch
   */
  public static DecoderWatch open(
      Settings settings, Target target, Admin admin, WorkerMetrics metrics) {
    DecoderWatch watch = new DecoderWatch(settings, target, admin, metrics);
    try {
      watch.look();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return watch;
  }

  /**
   * Begins to watch; to be called once.
   *
   * @param onChange called on the watch's thread when partitions fall behind or catch up
   */
  public void start(Runnable onChange) {
    listener = onChange;
    thread.start();
  }

  @Override
  public boolean isHeldUp(String requestId) {
    return settings.onLag() == OnLag.BLOCK
        && lag.isBehind(Partitions.of(requestId, target.partitions()));
  }

  @Override
  public String reason() {
    DecoderLag now = lag;
    if (now.behindCount() == 0) {
      return "";
    }
    String behind =
        "the decoder group '%s' has %.0f %% of what %s keeps still to read, in %d of its partitions"
            .formatted(target.group(), 100 * now.worst(), target.topic(), now.behindCount());
    return settings.onLag() == OnLag.BLOCK
        ? behind + ": requests that capture wait for it; start or add decoders"
        : behind + ": rows may be lost (lensflow.worker.capture.on-lag = lose)";
  }

  private void run() {
    try (reader) {
      while (!stopped.await(settings.interval().toMillis(), TimeUnit.MILLISECONDS)) {
        look();
      }
    } catch (InterruptedException e) {
      log.debug("the watch is interrupted");
    }
  }

  private void look() throws InterruptedException {
    try {
      take(reader.read());
      answered = true;
    } catch (ExecutionException | TimeoutException e) {
      if (answered) {
        log.warn(
            "the decoder's progress cannot be read, the last reading stands: {}", e.toString());
      }
      answered = false;
    }
  }

  /** Takes a reading in. */
  void take(double[] shares) {
    DecoderLag before = lag;
    lag = before.next(shares);
    metrics.decoderLag(lag.worst(), lag.behindCount());
    boolean changed = false;
    for (int p = 0; p < target.partitions(); p++) {
      changed |= before.isBehind(p) != lag.isBehind(p);
    }
    if (changed) {
      log.warn(
          "{}",
          lag.behindCount() == 0
              ? "the decoder group '%s' has caught up".formatted(target.group())
              : reason());
      listener.run();
    }
  }

  @Override
  public void close() {
    stopped.countDown();
    if (thread.getState() == Thread.State.NEW) {
      reader.close();
      return;
    }
    try {
      thread.join(CLOSE_TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
