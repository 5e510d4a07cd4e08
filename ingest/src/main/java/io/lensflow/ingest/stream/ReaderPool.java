package io.lensflow.ingest.stream;

import io.lensflow.service.ApiException;
import io.lensflow.service.KafkaClients;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * Consumers for those who read the log by themselves: a bounded number at a time, kept for reuse,
 * because connecting costs more than reading a short stretch. Thread-safe and fair.
 */
public final class ReaderPool implements AutoCloseable {
  private static final int POLL_RECORDS = 2000;
  private static final int FETCH_WAIT_MILLIS = 5;

  private final KafkaClients clients;
  private final Duration brokerTimeout;
  private final Duration wait;
  private final int size;
  private final Semaphore free;
  private final ConcurrentLinkedDeque<LogReader> idle = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  /**
   * @param size readers at a time
   * @param wait how long to wait for one
   * @param brokerTimeout patience of a reader with the broker
   */
  public ReaderPool(KafkaClients clients, int size, Duration wait, Duration brokerTimeout) {
    this.clients = clients;
    this.size = size;
    this.wait = wait;
    this.brokerTimeout = brokerTimeout;
    this.free = new Semaphore(size, true);
  }

  /** What is done with a reader. */
  public interface Use<T> {
    /** Reads; must not keep the reader. */
    T with(LogReader reader) throws IOException;
  }

  /**
   * Lends a reader.
   *
   * @throws ApiException 503 if none comes free in time
   */
  public <T> T use(Use<T> use) throws IOException {
    acquire();
    LogReader reader = null;
    try {
      reader = idle.poll();
      if (reader == null) {
        reader = new LogReader(clients.bytesConsumer(needs()), brokerTimeout);
      }
      T result = use.with(reader);
      idle.push(reader);
      reader = null;
      return result;
    } finally {
      if (reader != null) {
        reader.close(); // it failed, or its user did: where it stands is anybody's guess
      }
      free.release();
      if (closed) {
        closeIdle();
      }
    }
  }

  /** Readers in use now. */
  public int inUse() {
    return size - free.availablePermits();
  }

  private void acquire() {
    boolean acquired = false;
    try {
      acquired = free.tryAcquire(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!acquired) {
      throw new ApiException(
          503,
          "TOO_MANY_READERS",
          "%d streams are reading the log already; try again in a moment".formatted(size),
          null);
    }
  }

  private Map<String, Object> needs() {
    return Map.of(
        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
        "read_committed",
        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
        "earliest",
        ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
        POLL_RECORDS,
        // Readers read what is there. A fetch that waits for news at the end of one partition would
        // hold up the next look-up, which shares its connection.
        ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
        FETCH_WAIT_MILLIS,
        ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
        Math.toIntExact(brokerTimeout.toMillis()));
  }

  @Override
  public void close() {
    closed = true;
    closeIdle();
  }

  private void closeIdle() {
    for (LogReader reader; (reader = idle.poll()) != null; ) {
      reader.close();
    }
  }
}
