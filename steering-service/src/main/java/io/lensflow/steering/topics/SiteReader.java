package io.lensflow.steering.topics;

import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.StoredSite;
import io.lensflow.steering.vector.StoredVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads the values of sites from where they stand on {@code steering-vectors}. A version's sites
 * were written by one transaction, so they stand together. Thread-safe: each read has a consumer of
 * its own, which takes some 10 ms.
 */
public final class SiteReader {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(200);

  private final KafkaClients clients;
  private final RecordDeserializer<SteeringVector> deserializer;
  private final String topic;

  public SiteReader(KafkaClients clients, String topic) {
    this.clients = clients;
    this.deserializer = clients.deserializer(SteeringVector.class);
    this.topic = topic;
  }

  /**
   * The values [D] of each site that is still there: one that was deleted meanwhile is missing.
   *
   * @throws TimeoutException if the broker does not answer in 10 s
   */
  public Map<StoredSite, float[]> read(List<StoredSite> sites) throws TimeoutException {
    Map<TopicPartition, Map<Long, StoredSite>> wanted =
        sites.stream()
            .collect(
                Collectors.groupingBy(
                    site -> new TopicPartition(topic, site.partition()),
                    Collectors.toMap(StoredSite::offset, site -> site)));
    Map<StoredSite, float[]> found = new HashMap<>();
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    try (KafkaConsumer<byte[], byte[]> consumer = clients.bytesConsumer(ShortReads.COMMITTED)) {
      consumer.assign(wanted.keySet());
      wanted.forEach(
          (partition, at) ->
              consumer.seek(partition, at.keySet().stream().min(Long::compare).orElseThrow()));
      Set<TopicPartition> open = new HashSet<>(wanted.keySet());
      while (!open.isEmpty()) {
        if (System.nanoTime() > deadline) {
          throw new TimeoutException("the values could not be read in " + TIMEOUT);
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          StoredSite site =
              wanted
                  .get(new TopicPartition(record.topic(), record.partition()))
                  .get(record.offset());
          if (site != null && record.value() != null) {
            SteeringVector value = deserializer.deserialize(topic, record.value());
            found.put(site, Float32.decode(value.getSite().getValues()));
          }
        }
        open.removeIf(partition -> consumer.position(partition) > last(wanted.get(partition)));
      }
    }
    return found;
  }

  /**
   * A version's sites with their values, in its order.
   *
   * @throws RefusedException if it was deleted meanwhile
   * @throws TimeoutException if the broker does not answer in 10 s
   */
  public List<SiteDraft> drafts(StoredVersion version) throws TimeoutException {
    Map<StoredSite, float[]> values = read(version.sites());
    List<SiteDraft> drafts = new ArrayList<>();
    for (StoredSite site : version.sites()) {
      if (!values.containsKey(site)) {
        throw RefusedException.unknown("version", "it was deleted while it was read");
      }
      drafts.add(
          new SiteDraft(
              "sites[%d].".formatted(drafts.size()),
              site.layer(),
              site.hookPoint(),
              values.get(site)));
    }
    return drafts;
  }

  private static long last(Map<Long, StoredSite> at) {
    return at.keySet().stream().max(Long::compare).orElseThrow();
  }
}
