package io.lensflow.decoder.replay;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSpec;
import java.util.List;
import org.apache.kafka.clients.admin.Admin;

/**
 * The topic that a replay writes to: one of its own, laid out like {@code lens-results}. It may not
 * be a topic of the system. Subscribers of {@code lens-results} are promised each result once, and
 * what a replay writes there would be a second one, or one that the request did not ask for.
 */
final class ReplayTopic {
  private ReplayTopic() {}

  /**
   * Checks the name, and creates the topic if it is missing.
   *
   * @throws IllegalArgumentException if it is a topic of the system; names it
   */
  static void prepare(Admin admin, TopicCatalogue catalogue, String topic) {
    boolean taken =
        topic.startsWith(catalogue.promptRequests())
            || catalogue.specs().stream().anyMatch(spec -> spec.name().equals(topic));
    if (taken) {
      throw new IllegalArgumentException(
          "'%s' is a topic of Lensflow's own, where a replay's results would stand beside the first ones; name another, such as '%s-replay'"
              .formatted(topic, catalogue.lensResults()));
    }
    TopicSpec model =
        catalogue.specs().stream()
            .filter(spec -> spec.name().equals(catalogue.lensResults()))
            .findFirst()
            .orElseThrow();
    TopicProvisioner.create(
        admin,
        List.of(
            new TopicSpec(topic, model.partitions(), model.replicationFactor(), model.configs())));
  }
}
