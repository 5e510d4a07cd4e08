package io.lensflow.ingest.stream;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * One stream's ear on the {@link SharedTail}: a queue of undecoded records, bounded in bytes. The
 * tail never waits for a listener: one that falls too far behind overflows and gets nothing more.
 *
 * <p>Threads: the tail's offers, the stream's takes.
 */
final class TailListener {
  private final String requestId;
  private final Map<TopicPartition, Long> positions;
  private final int capacityBytes;
  private final CompletableFuture<Map<TopicPartition, Long>> starts = new CompletableFuture<>();
  private final LinkedBlockingQueue<ConsumerRecord<byte[], byte[]>> queue =
      new LinkedBlockingQueue<>();
  private final AtomicLong queuedBytes = new AtomicLong();
  private volatile boolean overflowed;

  /**
   * @param positions where the stream stands: next offset by partition
   * @param capacityBytes bytes that may wait; one record alone may be larger
   */
  TailListener(String requestId, Map<TopicPartition, Long> positions, int capacityBytes) {
    this.requestId = requestId;
    this.positions = Map.copyOf(positions);
    this.capacityBytes = capacityBytes;
  }

  String requestId() {
    return requestId;
  }

  Map<TopicPartition, Long> positions() {
    return positions;
  }

  Set<TopicPartition> partitions() {
    return positions.keySet();
  }

  /** From which offsets on the tail hands records over; completed by the tail. */
  CompletableFuture<Map<TopicPartition, Long>> starts() {
    return starts;
  }

  /** Adds a record, or overflows. */
  void offer(ConsumerRecord<byte[], byte[]> record) {
    if (overflowed) {
      return;
    }
    long bytes = record.value().length;
    if (queuedBytes.addAndGet(bytes) > capacityBytes && queuedBytes.get() > bytes) {
      overflowed = true;
    } else {
      queue.add(record);
    }
  }

  /** The next record; null where none comes in time. It counts until {@link #handled}. */
  ConsumerRecord<byte[], byte[]> poll(long timeoutMillis) throws InterruptedException {
    return queue.poll(timeoutMillis, TimeUnit.MILLISECONDS);
  }

  /** Notes that records have left the stream's memory. */
  void handled(long bytes) {
    queuedBytes.addAndGet(-bytes);
  }

  boolean isEmpty() {
    return queue.isEmpty();
  }

  /** Whether records were lost on this listener because it was too slow. */
  boolean hasOverflowed() {
    return overflowed;
  }
}
