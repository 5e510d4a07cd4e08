package io.lensflow.client;

import io.lensflow.schemas.topics.TopicCatalogue;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * Where Lensflow is and how patient the client is. Immutable.
 *
 * @param bootstrapServers Kafka's bootstrap servers, {@code host:port[,host:port…]}
 * @param schemaRegistry base URI of a registry that speaks Confluent's REST API
 * @param catalogue names of the topics
 * @param kafkaProperties further properties for every Kafka client made here, such as {@code
 *     security.protocol}; they win over the client's own choices
 * @param connectTimeout how long a broker may take to answer before the client says that it is
 *     unreachable; also the limit of one send
 * @param clockSkew how far the clocks of producers may lag behind the time inside a request id; a
 *     stream that starts by that time starts this much earlier
 */
public record ClientOptions(
    String bootstrapServers,
    URI schemaRegistry,
    TopicCatalogue catalogue,
    Map<String, String> kafkaProperties,
    Duration connectTimeout,
    Duration clockSkew) {
  /** A broker on the same continent answers well within this. */
  public static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** Hosts with a time service differ by milliseconds; this forgives ones without. */
  public static final Duration DEFAULT_CLOCK_SKEW = Duration.ofSeconds(30);

  public ClientOptions {
    Objects.requireNonNull(bootstrapServers, "bootstrapServers");
    Objects.requireNonNull(schemaRegistry, "schemaRegistry");
    Objects.requireNonNull(catalogue, "catalogue");
    kafkaProperties = Map.copyOf(kafkaProperties);
  }

  /** Options with default patience and no further Kafka properties. */
  public static ClientOptions of(
      String bootstrapServers, URI schemaRegistry, TopicCatalogue catalogue) {
    return new ClientOptions(
        bootstrapServers,
        schemaRegistry,
        catalogue,
        Map.of(),
        DEFAULT_CONNECT_TIMEOUT,
        DEFAULT_CLOCK_SKEW);
  }

  /** The same options with further Kafka properties. */
  public ClientOptions withKafkaProperties(Map<String, String> properties) {
    return new ClientOptions(
        bootstrapServers, schemaRegistry, catalogue, properties, connectTimeout, clockSkew);
  }

  /** The same options with another patience for connecting and sending. */
  public ClientOptions withConnectTimeout(Duration timeout) {
    return new ClientOptions(
        bootstrapServers, schemaRegistry, catalogue, kafkaProperties, timeout, clockSkew);
  }
}
