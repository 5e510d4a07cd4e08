package io.lensflow.platform.registry;

import java.util.Map;
import java.util.Objects;

/**
 * How an embedded registry is to run. Immutable.
 *
 * @param bootstrapServers broker that holds its topic
 * @param host address to listen at; {@code 0.0.0.0} for all
 * @param port port to listen at; 0 takes a free one
 * @param topic name of its topic, created if absent
 * @param clientProperties Kafka client settings, such as those of security
 */
public record RegistryOptions(
    String bootstrapServers,
    String host,
    int port,
    String topic,
    Map<String, String> clientProperties) {
  /**
   * Not Confluent's {@code _schemas}: a registry of theirs on the same broker is not ours to touch.
   */
  public static final String TOPIC = "_lensflow-schemas";

  public RegistryOptions {
    Objects.requireNonNull(bootstrapServers, "bootstrapServers");
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(topic, "topic");
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port must be 0 … 65535 (0 takes a free one): " + port);
    }
    clientProperties = Map.copyOf(clientProperties);
  }

  /** Listens on the loopback address only. */
  public static RegistryOptions local(String bootstrapServers, int port) {
    return new RegistryOptions(bootstrapServers, "127.0.0.1", port, TOPIC, Map.of());
  }
}
