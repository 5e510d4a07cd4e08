package io.lensflow.steering.topics;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads whole topics from their beginning and goes on reading as they grow; without a consumer
 * group, so that every instance sees everything. Whoever has written, or knows how far the topics
 * go, can {@linkplain #await wait} until it has been read.
 *
 * <p>One thread owns the consumer. A record whose sink throws is read again after a moment (the
 * schema registry may be away); sinks skip by themselves what will never be readable.
 */
public final class TopicTail implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TopicTail.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration RETRY_PAUSE = Duration.ofMillis(500);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<String, Consumer<ConsumerRecord<byte[], byte[]>>> sinks;
  private final Thread thread;
  private final Object progress = new Object();

  /** Next offset to read; guarded by {@link #progress}. */
  private final Map<TopicPartition, Long> positions = new HashMap<>();

  /** Why the thread gave up, null while it has not; guarded by {@link #progress}. */
  private String failure;

  /** What keeps the thread from taking the next record, null if nothing does. */
  private volatile String obstacle;

  private volatile boolean closed;

  /**
   * Starts to read.
   *
   * @param consumers makes a consumer without a group, {@code read_committed} where that matters
   * @param sinks topics, and what takes their records, on this tail's thread
   * @throws KafkaException if the broker cannot be asked for the topics' partitions
   */
  public TopicTail(
      Supplier<KafkaConsumer<byte[], byte[]>> consumers,
      Map<String, Consumer<ConsumerRecord<byte[], byte[]>>> sinks) {
    this.sinks = Map.copyOf(sinks);
    this.consumer = consumers.get();
    try {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : this.sinks.keySet()) {
        for (PartitionInfo info : consumer.partitionsFor(topic)) {
          partitions.add(new TopicPartition(topic, info.partition()));
        }
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
    } catch (KafkaException e) {
      consumer.close();
      throw e;
    }
    this.thread = new Thread(this::run, "steering-tail");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Waits until everything before the given offsets has been read and taken.
   *
   * @param offsets next offsets by partition
   * @throws TimeoutException if that takes longer than {@code timeout}
   */
  public void await(Map<TopicPartition, Long> offsets, Duration timeout) throws TimeoutException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (progress) {
      while (!reached(offsets)) {
        long left = deadline - System.nanoTime();
        if (failure != null || left <= 0) {
          throw new TimeoutException(
              failure != null
                  ? "reading the steering topics ended: " + failure
                  : "the steering topics could not be read to their end in %s%s"
                      .formatted(timeout, obstacle == null ? "" : ": " + obstacle));
        }
        try {
          progress.wait(Math.max(1, left / 1_000_000));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new TimeoutException("interrupted while reading the steering topics");
        }
      }
    }
  }

  /** The topics that it reads. */
  public Set<String> topics() {
    return sinks.keySet();
  }

  /** Why it no longer reads; null while it does. */
  public String failure() {
    synchronized (progress) {
      return failure;
    }
  }

  private boolean reached(Map<TopicPartition, Long> offsets) {
    return offsets.entrySet().stream()
        .allMatch(e -> positions.getOrDefault(e.getKey(), -1L) >= e.getValue());
  }

  private void run() {
    try (consumer) {
      while (!closed) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          take(record);
        }
        publishPositions();
      }
    } catch (WakeupException e) {
      // close() woke it.
    } catch (RuntimeException e) {
      log.error("reading {} ended", sinks.keySet(), e);
      synchronized (progress) {
        failure = e.toString();
        progress.notifyAll();
      }
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    while (!closed) {
      try {
        sinks.get(record.topic()).accept(record);
        obstacle = null;
        return;
      } catch (RuntimeException e) {
        obstacle = e.getMessage();
        log.warn(
            "{}-{} offset {} cannot be taken yet: {}",
            record.topic(),
            record.partition(),
            record.offset(),
            e.toString());
        pause();
      }
    }
  }

  /** Ends early when the tail is closed. */
  private void pause() {
    synchronized (progress) {
      try {
        if (!closed) {
          progress.wait(RETRY_PAUSE.toMillis());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        closed = true;
      }
    }
  }

  private void publishPositions() {
    synchronized (progress) {
      for (TopicPartition partition : consumer.assignment()) {
        positions.put(partition, consumer.position(partition));
      }
      progress.notifyAll();
    }
  }

  @Override
  public void close() {
    synchronized (progress) {
      closed = true;
      progress.notifyAll();
    }
    consumer.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
