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
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads the values of sites from where they stand on {@code steering-vectors}. A version's sites
 * were written by one transaction, so they stand together. Thread-safe: each read has a consumer of
 * its own, which takes some 10 ms.
 */
public final class SiteReader {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

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
  public Map<StoredSite, float[]> read(List<StoredSite> sites) {
    Map<TopicPartition, Map<Long, StoredSite>> wanted =
        sites.stream()
            .collect(
                Collectors.groupingBy(
                    site -> new TopicPartition(topic, site.partition()),
                    Collectors.toMap(StoredSite::offset, site -> site)));
    Map<StoredSite, float[]> found = new HashMap<>();
    ShortReads.between(
        clients,
        edges(wanted, offsets -> Collections.min(offsets)),
        edges(wanted, offsets -> Collections.max(offsets) + 1),
        TIMEOUT,
        record -> {
          StoredSite site =
              wanted
                  .get(new TopicPartition(record.topic(), record.partition()))
                  .get(record.offset());
          if (site != null && record.value() != null) {
            SteeringVector value = deserializer.deserialize(topic, record.value());
            found.put(site, Float32.decode(value.getSite().getValues()));
          }
        });
    return found;
  }

  /**
   * A version's sites with their values, in its order.
   *
   * @throws RefusedException if it was deleted meanwhile
   * @throws TimeoutException if the broker does not answer in 10 s
   */
  public List<SiteDraft> drafts(StoredVersion version) {
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

  private static Map<TopicPartition, Long> edges(
      Map<TopicPartition, Map<Long, StoredSite>> wanted, ToLongFunction<Set<Long>> edge) {
    Map<TopicPartition, Long> edges = new HashMap<>();
    wanted.forEach((partition, at) -> edges.put(partition, edge.applyAsLong(at.keySet())));
    return edges;
  }
}
