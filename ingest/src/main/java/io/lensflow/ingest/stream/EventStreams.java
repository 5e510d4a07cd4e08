package io.lensflow.ingest.stream;

import io.lensflow.ingest.StreamSettings;
import io.lensflow.service.ApiException;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * All streams of an instance: a bounded number of threads {@code ingest-stream-N}, one a stream.
 * Thread-safe.
 */
public final class EventStreams implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventStreams.class);
  private static final long IDLE_SECONDS = 30;
  private static final long STOP_SECONDS = 5;

  private final StreamSources sources;
  private final StreamSettings settings;
  private final Clock clock;
  private final MeterRegistry metrics;
  private final ThreadPoolExecutor threads;
  private volatile boolean stopping;

  public EventStreams(
      StreamSources sources, StreamSettings settings, Clock clock, MeterRegistry metrics) {
    this.sources = sources;
    this.settings = settings;
    this.clock = clock;
    this.metrics = metrics;
    this.threads =
        new ThreadPoolExecutor(
            0, settings.max(), IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), named());
    metrics.gauge("lensflow.ingest.streams.open", threads, ThreadPoolExecutor::getActiveCount);
    metrics.gauge("lensflow.ingest.streams.readers", sources.readers(), ReaderPool::inUse);
  }

  /**
   * Streams to a client.
   *
   * @param response not yet committed; it is only touched by the stream until the future completes
   * @return completes when the stream has ended; with {@link ApiException} if it could not be
   *     opened
   * @throws ApiException 503 if there are too many
   */
  public CompletableFuture<Void> open(StreamRequest request, HttpServletResponse response) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    try {
      threads.execute(() -> run(request, response, ended));
      return ended;
    } catch (RejectedExecutionException e) {
      throw new ApiException(
          503,
          stopping ? "STOPPING" : "TOO_MANY_STREAMS",
          stopping
              ? "this instance is stopping; ask another one"
              : "this instance serves %d streams already; ask another one, or try again later"
                  .formatted(settings.max()),
          null);
    }
  }

  private void run(
      StreamRequest request, HttpServletResponse response, CompletableFuture<Void> ended) {
    SseWriter writer = new SseWriter(response, settings.heartbeat());
    String reason = "FAILED";
    MDC.put("request", request.requestId());
    try {
      reason = new EventStream(request, sources, settings, clock, () -> stopping, writer).run();
      ended.complete(null);
    } catch (IOException e) {
      reason = "CLIENT_GONE";
      ended.complete(null);
    } catch (KafkaException e) {
      ended.completeExceptionally(
          new ApiException(
              503, "BROKER_UNAVAILABLE", "the log cannot be read: " + e.getMessage(), null));
    } catch (RuntimeException e) {
      ended.completeExceptionally(e);
    } finally {
      metrics.counter("lensflow.ingest.streams.ended", "reason", reason).increment();
      metrics.counter("lensflow.ingest.events").increment(writer.events());
      log.debug(
          "stream ended request={} reason={} events={}",
          request.requestId(),
          reason,
          writer.events());
      MDC.remove("request");
    }
  }

  private static ThreadFactory named() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "ingest-stream-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Ends all streams; each client is told that it may resume elsewhere. */
  @Override
  public void close() {
    stopping = true;
    threads.shutdown();
    try {
      if (!threads.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        threads.shutdownNow(); // those that wait for clients who do not read
      }
    } catch (InterruptedException e) {
      threads.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
