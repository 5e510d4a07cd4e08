package io.lensflow.steering.topics;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** How far topics go, as readers of committed records see it. Thread-safe, as {@link Admin} is. */
public final class CommittedEnds {
  private final Admin admin;

  /**
   * @param admin stays the caller's
   */
  public CommittedEnds(Admin admin) {
    this.admin = admin;
  }

  /**
   * The next offset of each partition, behind the last record of a finished transaction.
   *
   * @throws KafkaException if the broker does not tell in {@code timeout}
   */
  public Map<TopicPartition, Long> of(Collection<String> topics, Duration timeout) {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    for (TopicDescription topic :
        await(admin.describeTopics(topics).allTopicNames(), timeout).values()) {
      for (TopicPartitionInfo partition : topic.partitions()) {
        latest.put(new TopicPartition(topic.name(), partition.partition()), OffsetSpec.latest());
      }
    }
    ListOffsetsOptions committed = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
    Map<TopicPartition, Long> ends = new HashMap<>();
    Map<TopicPartition, ListOffsetsResultInfo> found =
        await(admin.listOffsets(latest, committed).all(), timeout);
    found.forEach((partition, info) -> ends.put(partition, info.offset()));
    return ends;
  }

  private static <T> T await(KafkaFuture<T> future, Duration timeout) {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new KafkaException("the end of the topics cannot be found: " + e.getMessage(), e);
    }
  }
}
