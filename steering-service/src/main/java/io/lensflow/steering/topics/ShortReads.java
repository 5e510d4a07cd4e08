package io.lensflow.steering.topics;

import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads of a stretch of topics, each by a consumer of its own that goes again. Stateless.
 *
 * <p>One that takes too long throws Kafka's {@link TimeoutException}, as the consumer itself does:
 * whoever tries again after the one tries again after the other.
 */
public final class ShortReads {
  /**
   * Committed records from any offset. The broker is not let wait for more of them: a consumer
   * cannot be closed before its last fetch is answered, by default half a second later.
   */
  public static final Map<String, Object> COMMITTED =
      Map.of(
          ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
          ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5);

  private static final Duration POLL = Duration.ofMillis(100);

  private ShortReads() {}

  /** Takes what is read, on the reading thread; what it throws ends the read. */
  @FunctionalInterface
  public interface Sink {
    /** Takes a record; some may lie behind the stretch. */
    void take(ConsumerRecord<byte[], byte[]> record);

    /** Called between polls. */
    default void betweenPolls() {}
  }

  /**
   * Reads what was written since a time, to the ends that the topics have now.
   *
   * @param topics the topics; one that does not exist holds nothing
   * @throws TimeoutException if that takes longer than {@code timeout}
   */
  public static void since(
      KafkaClients clients, Collection<String> topics, Instant since, Duration timeout, Sink sink) {
    try (Consumer<byte[], byte[]> consumer = clients.bytesConsumer(COMMITTED)) {
      Map<TopicPartition, Long> times = new HashMap<>();
      for (TopicPartition partition : partitions(consumer, topics)) {
        times.put(partition, since.toEpochMilli());
      }
      consumer.assign(times.keySet());
      // The ends come first: a record written between the two look-ups must not be skipped.
      Map<TopicPartition, Long> ends = consumer.endOffsets(times.keySet());
      Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times);
      for (TopicPartition partition : times.keySet()) {
        OffsetAndTimestamp start = starts.get(partition);
        consumer.seek(partition, start == null ? ends.get(partition) : start.offset());
      }
      toEnds(consumer, ends, timeout, sink);
    }
  }

  /**
   * Reads what stands between offsets.
   *
   * @param starts the first offset of each partition
   * @param ends the offset behind the last one, of the same partitions
   * @throws TimeoutException if that takes longer than {@code timeout}
   */
  public static void between(
      KafkaClients clients,
      Map<TopicPartition, Long> starts,
      Map<TopicPartition, Long> ends,
      Duration timeout,
      Sink sink) {
    try (Consumer<byte[], byte[]> consumer = clients.bytesConsumer(COMMITTED)) {
      consumer.assign(starts.keySet());
      starts.forEach(consumer::seek);
      toEnds(consumer, ends, timeout, sink);
    }
  }

  /** Reads on from where the consumer stands. */
  static void toEnds(
      Consumer<byte[], byte[]> consumer,
      Map<TopicPartition, Long> ends,
      Duration timeout,
      Sink sink) {
    long deadline = System.nanoTime() + timeout.toNanos();
    Set<TopicPartition> open = new HashSet<>(ends.keySet());
    open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
    while (!open.isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new TimeoutException("%s could not be read in %s".formatted(open, timeout));
      }
      sink.betweenPolls();
      consumer.poll(POLL).forEach(sink::take);
      open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
    }
  }

  private static List<TopicPartition> partitions(
      Consumer<byte[], byte[]> consumer, Collection<String> topics) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics) {
      List<PartitionInfo> infos = consumer.partitionsFor(topic);
      if (infos != null) {
        infos.forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
      }
    }
    return partitions;
  }
}
