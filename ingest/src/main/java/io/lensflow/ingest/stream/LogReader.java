package io.lensflow.ingest.stream;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Reads stretches of single partitions, committed records only. Lent by a {@link ReaderPool} to one
 * thread at a time. What Kafka throws comes out: the pool does not take such a reader back.
 */
public final class LogReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final Consumer<byte[], byte[]> consumer;
  private final Duration patience;

  LogReader(Consumer<byte[], byte[]> consumer, Duration patience) {
    this.consumer = consumer;
    this.patience = patience;
  }

  /** Takes a record; says whether to read on. */
  public interface Visitor {
    /**
     * @return false to stop after this record
     * @throws IOException if what it does with the record fails
     */
    boolean visit(ConsumerRecord<byte[], byte[]> record) throws IOException;
  }

  /** How many partitions a topic has. */
  int partitions(String topic) {
    List<PartitionInfo> infos = consumer.partitionsFor(topic);
    if (infos == null || infos.isEmpty()) {
      throw new UnknownTopicOrPartitionException("the topic '" + topic + "' does not exist");
    }
    return infos.size();
  }

  /**
   * To be called first: says which partitions will be looked up and read. They stay assigned while
   * only one is read, because the consumer forgets what it knows of others.
   */
  public void assign(Set<TopicPartition> partitions) {
    consumer.assign(partitions);
    consumer.pause(partitions);
  }

  /**
   * Where to begin to read.
   *
   * @param from the first records whose time is not before; null takes the oldest that are kept
   */
  public Map<TopicPartition, Long> offsets(Set<TopicPartition> partitions, Instant from) {
    if (from == null) {
      return consumer.beginningOffsets(partitions);
    }
    // The ends come first: a record that is written between the two look-ups must not be skipped.
    Map<TopicPartition, Long> offsets = new HashMap<>(consumer.endOffsets(partitions));
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, Math.max(0, from.toEpochMilli())));
    for (Map.Entry<TopicPartition, OffsetAndTimestamp> found :
        consumer.offsetsForTimes(times).entrySet()) {
      if (found.getValue() != null) {
        offsets.put(found.getKey(), found.getValue().offset());
      }
    }
    return offsets;
  }

  /** The end of a partition, as far as it is committed. */
  public long end(TopicPartition partition) {
    return consumer.endOffsets(Set.of(partition)).get(partition);
  }

  /** As the longer form, until the end or the visitor has enough. */
  public long read(TopicPartition partition, long from, long to, String requestId, Visitor visitor)
      throws IOException {
    return read(partition, from, to, new RequestFilter(requestId), visitor, () -> false);
  }

  /**
   * Reads from an offset up to another one.
   *
   * @param to first offset that is not wanted
   * @param filter which records are visited
   * @param done asked after every batch; true stops
   * @return the offset to go on from
   * @throws TimeoutException if no batch comes for the pool's patience
   */
  long read(
      TopicPartition partition,
      long from,
      long to,
      RequestFilter filter,
      Visitor visitor,
      BooleanSupplier done)
      throws IOException {
    if (from >= to) {
      return from;
    }
    consumer.pause(consumer.assignment());
    consumer.seek(partition, from);
    consumer.resume(Set.of(partition));
    long lastNews = System.nanoTime();
    long position = from;
    while (position < to && !done.getAsBoolean()) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        if (record.offset() >= to) {
          return to;
        }
        if (filter.accepts(record) && !visitor.visit(record)) {
          return record.offset() + 1;
        }
      }
      // Not the last record's: offsets of control records and aborted ones are passed silently.
      long now = consumer.position(partition);
      if (now != position) {
        position = now;
        lastNews = System.nanoTime();
      } else if (System.nanoTime() - lastNews > patience.toNanos()) {
        throw new TimeoutException(
            "%s gave nothing for %d ms".formatted(partition, patience.toMillis()));
      }
    }
    return position;
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ofSeconds(1)));
  }
}
