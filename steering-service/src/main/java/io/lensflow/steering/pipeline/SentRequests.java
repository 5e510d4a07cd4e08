package io.lensflow.steering.pipeline;

import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.topics.ShortReads;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** Finds which requests stand on the request topics already. Stateless. */
final class SentRequests {
  private static final Duration POLL = Duration.ofMillis(200);

  private SentRequests() {}

  /**
   * Ids of requests on some topics.
   *
   * @param topics the topics; one that does not exist holds none
   * @param since older records are not looked at
   * @param wanted which ids matter
   */
  static Set<String> on(
      KafkaClients clients, Collection<String> topics, Instant since, Predicate<String> wanted) {
    Set<String> sent = new HashSet<>();
    try (KafkaConsumer<byte[], byte[]> consumer = clients.bytesConsumer(ShortReads.COMMITTED)) {
      Map<TopicPartition, Long> times = new HashMap<>();
      for (String topic : topics) {
        List<PartitionInfo> partitions = consumer.partitionsFor(topic);
        if (partitions != null) {
          partitions.forEach(
              p -> times.put(new TopicPartition(topic, p.partition()), since.toEpochMilli()));
        }
      }
      consumer.assign(times.keySet());
      Map<TopicPartition, Long> ends = consumer.endOffsets(times.keySet());
      Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times);
      starts.forEach(
          (partition, start) ->
              consumer.seek(partition, start == null ? ends.get(partition) : start.offset()));
      Set<TopicPartition> open = new HashSet<>(ends.keySet());
      open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      while (!open.isEmpty()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST)
              .filter(wanted)
              .ifPresent(sent::add);
        }
        open.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
      }
    }
    return sent;
  }
}
