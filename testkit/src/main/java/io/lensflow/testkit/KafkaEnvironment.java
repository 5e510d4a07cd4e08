package io.lensflow.testkit;

import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import java.net.URI;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;

/**
 * A broker and a registry as one test class sees them: real ones, shared with the JVM's other test
 * classes, with topic names of its own. Immutable and thread-safe.
 *
 * @param bootstrapServers where Kafka clients find the broker
 * @param registryUri where registry clients find the registry
 * @param catalogue topics under a prefix that no other class has, 3 partitions by request; they do
 *     not exist until {@link #createTopics()}
 */
public record KafkaEnvironment(String bootstrapServers, URI registryUri, TopicCatalogue catalogue) {
  /** Creates the catalogue's topics that are missing. */
  public void createTopics() {
    try (Admin admin = admin()) {
      TopicProvisioner.create(admin, catalogue.specs());
    }
  }

  /** A new admin client; the caller closes it. */
  public Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", bootstrapServers));
  }

  /** A new registry client. */
  public SchemaRegistryClient registry() {
    return new SchemaRegistryClient(registryUri);
  }
}
