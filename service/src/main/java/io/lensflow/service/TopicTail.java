package io.lensflow.service;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all partitions of some topics from their beginning and follows them, on one thread of its
 * own that owns the consumer. Every reader sees everything: there is no group.
 */
public final class TopicTail implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TopicTail.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);
  private static final long RETRY_MILLIS = 1_000;

  /** Takes what was read. Called by the tail's thread; it reads on when the call returns. */
  public interface Handler {
    /**
     * Records, in order per partition.
     *
     * @param nextOffsets next offset to read, of every partition
     */
    void records(
        List<ConsumerRecord<byte[], byte[]>> records, Map<TopicPartition, Long> nextOffsets);

    /** Called once: everything that was there at the start has been handed over. */
    void caughtUp();
  }

  private final List<String> topics;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Handler handler;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;
  private volatile Consumer<byte[], byte[]> consumer;
  private boolean caughtUp;

  /**
   * Starts to read.
   *
   * @param name of the thread
   * @param topics topics that exist
   * @param consumers makes a consumer without group and with {@code auto.offset.reset=earliest};
   *     called again after a failure
   */
  public static TopicTail start(
      String name,
      List<String> topics,
      Supplier<Consumer<byte[], byte[]>> consumers,
      Handler handler) {
    TopicTail tail = new TopicTail(name, topics, consumers, handler);
    tail.thread.start();
    return tail;
  }

  private TopicTail(
      String name,
      List<String> topics,
      Supplier<Consumer<byte[], byte[]>> consumers,
      Handler handler) {
    this.topics = List.copyOf(topics);
    this.consumers = consumers;
    this.handler = handler;
    this.thread = new Thread(this::run, name);
    this.thread.setDaemon(true);
  }

  private void run() {
    Map<TopicPartition, Long> next = new HashMap<>();
    while (!isStopped()) {
      try (Consumer<byte[], byte[]> mine = consumers.get()) {
        consumer = mine;
        follow(mine, next);
      } catch (WakeupException | InterruptException e) {
        log.debug("{} stops", thread.getName());
      } catch (RuntimeException e) {
        // Broker or registry out of reach: what was not handed over is read again.
        log.warn("{} failed and begins again where it was: {}", thread.getName(), e.toString());
        pause();
      }
    }
  }

  private void follow(Consumer<byte[], byte[]> mine, Map<TopicPartition, Long> next) {
    List<TopicPartition> partitions = partitions(mine);
    mine.assign(partitions);
    mine.seekToBeginning(partitions);
    next.forEach(mine::seek);
    Map<TopicPartition, Long> ends = mine.endOffsets(partitions);
    partitions.forEach(partition -> next.put(partition, mine.position(partition)));
    while (!isStopped()) {
      if (!caughtUp
          && ends.entrySet().stream().allMatch(e -> next.get(e.getKey()) >= e.getValue())) {
        caughtUp = true;
        handler.caughtUp();
      }
      ConsumerRecords<byte[], byte[]> polled = mine.poll(POLL);
      Map<TopicPartition, Long> positions = new HashMap<>();
      partitions.forEach(partition -> positions.put(partition, mine.position(partition)));
      if (!positions.equals(next)) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(polled.count());
        polled.forEach(records::add);
        handler.records(records, Map.copyOf(positions));
        next.putAll(positions);
      }
    }
  }

  private List<TopicPartition> partitions(Consumer<byte[], byte[]> mine) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics) {
      for (PartitionInfo info : mine.partitionsFor(topic)) {
        partitions.add(new TopicPartition(topic, info.partition()));
      }
    }
    return partitions;
  }

  private boolean isStopped() {
    return stopped.getCount() == 0;
  }

  private void pause() {
    try {
      boolean stop = stopped.await(RETRY_MILLIS, TimeUnit.MILLISECONDS);
      log.debug("{} waited, stopping={}", thread.getName(), stop);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopped.countDown();
    }
  }

  /** Stops the thread and closes its consumer. */
  @Override
  public void close() {
    stopped.countDown();
    Consumer<byte[], byte[]> current = consumer;
    if (current != null) {
      current.wakeup();
    }
    try {
      thread.join(STOP_TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
