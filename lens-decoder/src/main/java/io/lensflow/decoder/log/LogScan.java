package io.lensflow.decoder.log;

import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Reads a range of a topic's log with a consumer of its own, which belongs to no group and commits
 * nothing: no other reader notices. What retention deletes before it is read is noted, never
 * stepped over in silence.
 *
 * <p>Not thread-safe.
 */
public final class LogScan implements AutoCloseable {
  /** Bytes that the consumer may have fetched ahead. */
  private static final int FETCH_BYTES = 8 << 20;

  private static final int FETCH_BYTES_PARTITION = 2 << 20;
  private static final int MAX_POLL_RECORDS = 32;

  private final Consumer<byte[], byte[]> consumer;
  private final String topic;
  private final Map<TopicPartition, Long> next = new HashMap<>();
  private final Map<TopicPartition, Long> ends = new HashMap<>();
  private final List<Hole> holes = new ArrayList<>();
  private final long total;

  /**
   * Records that were deleted before they were read.
   *
   * @param partition where
   * @param firstOffset first of them
   * @param lastOffset last of them
   */
  public record Hole(int partition, long firstOffset, long lastOffset) {
    /** How many. */
    public long records() {
      return lastOffset - firstOffset + 1;
    }
  }

  private LogScan(Consumer<byte[], byte[]> consumer, String topic, LogRange range) {
    this.consumer = consumer;
    this.topic = topic;
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .filter(one -> range.partition().orElse(one.partition()) == one.partition())
            .toList();
    if (partitions.isEmpty()) {
      throw new UnknownTopicOrPartitionException(
          "there is no topic '%s'%s"
              .formatted(
                  topic,
                  range.partition().isPresent()
                      ? " with a partition " + range.partition().getAsInt()
                      : ""));
    }
    consumer.assign(partitions);
    start(partitions, range);
    if (!range.follow() || range.to().isPresent()) {
      end(partitions, range);
    }
    next.forEach(consumer::seek);
    total = remaining();
    pauseFinished();
  }

  /**
   * Begins.
   *
   * @param clientId by which the broker's logs and quotas know this reader
   * @throws org.apache.kafka.common.KafkaException if the broker cannot be reached
   */
  public static LogScan open(KafkaClients clients, String clientId, String topic, LogRange range) {
    Consumer<byte[], byte[]> consumer =
        clients.bytesConsumer(
            Map.of(
                ConsumerConfig.CLIENT_ID_CONFIG, clientId,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES,
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES_PARTITION,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_POLL_RECORDS));
    return open(consumer, topic, range);
  }

  /** Begins with a given consumer, which it closes in the end. */
  static LogScan open(Consumer<byte[], byte[]> consumer, String topic, LogRange range) {
    try {
      return new LogScan(consumer, topic, range);
    } catch (RuntimeException e) {
      consumer.close();
      throw e;
    }
  }

  private void start(List<TopicPartition> partitions, LogRange range) {
    switch (range.start()) {
      case BEGINNING -> next.putAll(consumer.beginningOffsets(partitions));
      case TIME -> next.putAll(offsets(partitions, range.from().orElseThrow()));
      case END -> next.putAll(consumer.endOffsets(partitions));
    }
  }

  private void end(List<TopicPartition> partitions, LogRange range) {
    ends.putAll(
        range.to().isPresent()
            ? offsets(partitions, range.to().get())
            : consumer.endOffsets(partitions));
  }

  /** Offset of the first record that is not older than a time; the end where none is. */
  private Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, Instant time) {
    Map<TopicPartition, Long> offsets = new HashMap<>(consumer.endOffsets(partitions));
    Map<TopicPartition, OffsetAndTimestamp> found =
        consumer.offsetsForTimes(
            partitions.stream().collect(Collectors.toMap(one -> one, one -> time.toEpochMilli())));
    found.forEach(
        (partition, offset) -> {
          if (offset != null) {
            offsets.put(partition, offset.offset());
          }
        });
    return offsets;
  }

  /** The next records, in order per partition; empty if none came in time. */
  public List<ConsumerRecord<byte[], byte[]>> poll(Duration patience) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(patience)) {
        if (record.offset() < ends.getOrDefault(partition(record), Long.MAX_VALUE)) {
          records.add(record);
        }
      }
    } catch (OffsetOutOfRangeException e) {
      stepOver(e.partitions());
    }
    next.replaceAll((partition, offset) -> Math.max(offset, consumer.position(partition)));
    pauseFinished();
    return records;
  }

  private TopicPartition partition(ConsumerRecord<byte[], byte[]> record) {
    return new TopicPartition(topic, record.partition());
  }

  private void stepOver(Collection<TopicPartition> partitions) {
    consumer
        .beginningOffsets(partitions)
        .forEach(
            (partition, beginning) -> {
              long missing = Math.min(beginning, ends.getOrDefault(partition, beginning));
              if (missing > next.get(partition)) {
                holes.add(new Hole(partition.partition(), next.get(partition), missing - 1));
              }
              next.put(partition, beginning);
              consumer.seek(partition, beginning);
            });
  }

  private void pauseFinished() {
    consumer.pause(next.keySet().stream().filter(this::isAtEnd).toList());
  }

  private boolean isAtEnd(TopicPartition partition) {
    return next.get(partition) >= ends.getOrDefault(partition, Long.MAX_VALUE);
  }

  /** Whether all of the range is read; never while it follows the log without an end. */
  public boolean isAtEnd() {
    return next.keySet().stream().allMatch(this::isAtEnd);
  }

  /** Records of the range that are yet to be read; 0 where it has no end. */
  public long remaining() {
    return ends.entrySet().stream()
        .mapToLong(end -> Math.max(0, end.getValue() - next.get(end.getKey())))
        .sum();
  }

  /** Records that the range had at the start; 0 where it has no end. */
  public long total() {
    return total;
  }

  /** What was deleted before it was read. */
  public List<Hole> holes() {
    return List.copyOf(holes);
  }

  @Override
  public void close() {
    consumer.close();
  }
}
