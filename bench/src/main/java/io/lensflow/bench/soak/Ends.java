package io.lensflow.bench.soak;

import io.lensflow.records.DeadLetter;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until nothing is on its way any more: every request has an end, every broken record is a
 * dead letter, every chunk was decoded. It only waits: whether all is right is the checker's to
 * say, also where this gives up. Used by one thread.
 */
final class Ends {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Set<String> TERMINAL =
      Set.of("CompletionEvent.FINISHED", "CompletionEvent.FAILED", "CompletionEvent.CANCELLED");

  private final KafkaClients clients;
  private final TopicCatalogue topics;
  private final Duration limit;

  /**
   * @param limit how long each wait may take
   */
  Ends(KafkaClients clients, Duration limit) {
    this.clients = clients;
    this.topics = clients.settings().catalogue();
    this.limit = limit;
  }

  /**
   * Waits for requests and broken records.
   *
   * @return ids and digests that have not ended in time
   */
  Set<String> awaitEnds(Set<String> requests, Set<String> broken) {
    Set<String> open =
        Stream.concat(requests.stream(), broken.stream())
            .collect(Collectors.toCollection(TreeSet::new));
    RecordDeserializer<DeadLetter> letters = clients.deserializer(DeadLetter.class);
    Set<TopicPartition> partitions = new HashSet<>(partitions(topics.completions()));
    partitions.addAll(partitions(topics.deadLetters()));
    long deadline = System.nanoTime() + limit.toNanos();
    try (KafkaConsumer<byte[], byte[]> consumer =
        clients.bytesConsumer(Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!open.isEmpty() && System.nanoTime() < deadline) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          if (record.topic().equals(topics.completions())) {
            header(record, LensflowHeaders.TYPE, TERMINAL, open);
          } else {
            ByteBuffer value = letters.deserialize(record.topic(), record.value()).getValue();
            byte[] bytes = new byte[value.remaining()];
            value.duplicate().get(bytes);
            open.remove(SentLog.digest(bytes));
          }
        }
      }
    }
    return open;
  }

  private static void header(
      ConsumerRecord<byte[], byte[]> record, String name, Set<String> values, Set<String> open) {
    if (LensflowHeaders.get(record.headers(), name).filter(values::contains).isPresent()) {
      LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST).ifPresent(open::remove);
    }
  }

  /**
   * Waits until the decoders have committed the end of every partition.
   *
   * @return how many records they have left at the limit
   */
  long awaitDecoded(String model) throws Exception {
    String group = topics.decoderGroup(model);
    long deadline = System.nanoTime() + limit.toNanos();
    try (Admin admin = clients.admin()) {
      long left = left(admin, group);
      while (left > 0 && System.nanoTime() < deadline) {
        Thread.sleep(POLL.toMillis());
        left = left(admin, group);
      }
      return left;
    }
  }

  private long left(Admin admin, String group) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> committed =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    var ends =
        admin
            .listOffsets(
                partitions(topics.activations()).stream()
                    .collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
            .all()
            .get();
    return ends.entrySet().stream()
        .mapToLong(
            end -> {
              OffsetAndMetadata at = committed.get(end.getKey());
              return end.getValue().offset() - (at == null ? 0 : at.offset());
            })
        .sum();
  }

  private Set<TopicPartition> partitions(String topic) {
    Set<TopicPartition> partitions = new HashSet<>();
    for (int i = 0; i < topics.requestPartitions(); i++) {
      partitions.add(new TopicPartition(topic, i));
    }
    return partitions;
  }
}
