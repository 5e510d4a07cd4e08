package io.lensflow.schemas.topics;

import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * One topic as it should be. Immutable.
 *
 * @param name full name, prefix included
 * @param partitions number of partitions, at least 1
 * @param replicationFactor copies of each partition; −1 leaves it to the broker
 * @param configs topic settings by Kafka's names; what is not named here is the broker's choice
 */
public record TopicSpec(
    String name, int partitions, short replicationFactor, Map<String, String> configs) {
  public TopicSpec {
    if (name == null || name.isEmpty()) {
      throw new IllegalArgumentException("a topic needs a name");
    }
    if (partitions < 1) {
      throw new IllegalArgumentException(name + ": partitions must be at least 1: " + partitions);
    }
    configs = Map.copyOf(configs);
  }

  NewTopic toNewTopic() {
    return new NewTopic(name, partitions, replicationFactor).configs(configs);
  }
}
