package io.lensflow.worker.lag;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;

/**
 * Asks the broker how far a decoder's group is behind on {@code activations}. Not thread-safe: the
 * watch's thread owns it.
 */
final class LagReader implements AutoCloseable {
  private static final long TIMEOUT_SECONDS = 10;

  private final Admin admin;
  private final String group;
  private final List<TopicPartition> partitions = new ArrayList<>();
  private final ConfigResource topic;

  /**
   * @param admin closed with this
   * @param group id of the decoder's group
   * @param partitionCount how many partitions the topic has
   */
  LagReader(Admin admin, String group, String topic, int partitionCount) {
    this.admin = admin;
    this.group = group;
    this.topic = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    for (int p = 0; p < partitionCount; p++) {
      partitions.add(new TopicPartition(topic, p));
    }
  }

  /**
   * Unread bytes ÷ {@code retention.bytes}, per partition. Empty if the group has committed
   * nothing: nobody decodes, and nobody was promised anything of these rows.
   *
   * @throws ExecutionException if the broker refuses
   * @throws TimeoutException if it does not answer
   */
  double[] read() throws ExecutionException, TimeoutException, InterruptedException {
    Map<TopicPartition, OffsetAndMetadata> committed =
        get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
    if (partitions.stream().allMatch(partition -> committed.get(partition) == null)) {
      return new double[0];
    }
    Map<TopicPartition, Long> begins = offsets(OffsetSpec.earliest());
    Map<TopicPartition, Long> ends = offsets(OffsetSpec.latest());
    long retention = retentionBytes();
    Map<TopicPartition, Long> sizes = sizes(begins, retention);
    double[] shares = new double[partitions.size()];
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata offset = committed.get(partition);
      shares[partition.partition()] =
          unread(
                  begins.get(partition),
                  offset == null ? begins.get(partition) : offset.offset(),
                  ends.get(partition))
              * sizes.getOrDefault(partition, 0L)
              / retention;
    }
    return shares;
  }

  /**
   * Which part of a partition's records is not read.
   *
   * @param begin its first offset
   * @param next the offset to read next; what lies before the first is lost already
   * @param end offset after its last
   */
  static double unread(long begin, long next, long end) {
    long kept = end - begin;
    return kept <= 0 ? 0 : Math.max(0, end - Math.max(next, begin)) / (double) kept;
  }

  private Map<TopicPartition, Long> offsets(OffsetSpec spec)
      throws ExecutionException, TimeoutException, InterruptedException {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    partitions.forEach(partition -> wanted.put(partition, spec));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    get(admin.listOffsets(wanted).all())
        .forEach((partition, result) -> offsets.put(partition, result.offset()));
    return offsets;
  }

  /** What a partition keeps; without a limit by size, more than any size. */
  private long retentionBytes() throws ExecutionException, TimeoutException, InterruptedException {
    long bytes =
        Long.parseLong(
            get(admin.describeConfigs(List.of(topic)).all())
                .get(topic)
                .get(TopicConfig.RETENTION_BYTES_CONFIG)
                .value());
    return bytes < 0 ? Long.MAX_VALUE : Math.max(1, bytes);
  }

  /** Bytes that partitions take on their leader's disk. */
  private Map<TopicPartition, Long> sizes(Map<TopicPartition, Long> begins, long retention)
      throws ExecutionException, TimeoutException, InterruptedException {
    Map<TopicPartition, Long> sizes = new HashMap<>();
    try {
      Collection<Node> nodes = get(admin.describeCluster().nodes());
      for (Map<String, LogDirDescription> folders :
          get(admin.describeLogDirs(nodes.stream().map(Node::id).toList()).allDescriptions())
              .values()) {
        for (LogDirDescription folder : folders.values()) {
          folder
              .replicaInfos()
              .forEach((partition, replica) -> sizes.merge(partition, replica.size(), Math::max));
        }
      }
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof AuthorizationException)) {
        throw e;
      }
      // Without the right to ask: a log that has dropped records before is taken to be full.
      begins.forEach((partition, begin) -> sizes.put(partition, begin > 0 ? retention : 0));
    }
    return sizes;
  }

  private static <T> T get(KafkaFuture<T> future)
      throws ExecutionException, TimeoutException, InterruptedException {
    return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    admin.close(java.time.Duration.ZERO);
  }
}
