package io.lensflow.service;

import com.typesafe.config.Config;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/**
 * Where Kafka and the schema registry are, and how topics are named: {@code lensflow.kafka}.
 *
 * @param bootstrapServers host:port, comma separated
 * @param schemaRegistry base URL of a Confluent-compatible registry
 * @param topicPrefix put before every topic, group and transactional id; may be empty
 * @param requestPartitions partitions of every request-keyed topic
 * @param replicationFactor of topics that Lensflow creates
 * @param properties Kafka client settings passed through to every client
 */
public record KafkaSettings(
    String bootstrapServers,
    URI schemaRegistry,
    String topicPrefix,
    int requestPartitions,
    short replicationFactor,
    Map<String, String> properties) {
  public static final String SECTION = "lensflow.kafka";

  public KafkaSettings {
    properties = Map.copyOf(properties);
  }

  /** Reads {@code lensflow.kafka}; see its {@code reference.conf}. */
  public static KafkaSettings load(Map<String, ?> overrides) {
    return Settings.load(SECTION, overrides, KafkaSettings::from);
  }

  static KafkaSettings from(Config config) {
    Map<String, String> properties = new HashMap<>();
    String file = config.getString("properties-file");
    if (!file.isEmpty()) {
      properties.putAll(read(Path.of(file)));
    }
    config
        .getConfig("properties")
        .entrySet()
        .forEach(e -> properties.put(unquote(e.getKey()), e.getValue().unwrapped().toString()));
    String servers = config.getString("bootstrap-servers");
    Settings.check(!servers.isBlank(), "bootstrap-servers", "host:port, comma separated");
    int partitions = config.getInt("request-partitions");
    Settings.check(partitions > 0, "request-partitions", "at least 1");
    int replication = config.getInt("replication-factor");
    Settings.check(replication > 0 && replication < 100, "replication-factor", "1 … 99");
    URI registry = URI.create(config.getString("schema-registry"));
    Settings.check(
        registry.getScheme() != null && registry.getScheme().startsWith("http"),
        "schema-registry",
        "an http or https URL");
    return new KafkaSettings(
        servers,
        registry,
        config.getString("topic-prefix"),
        partitions,
        (short) replication,
        properties);
  }

  /** Names and settings of every topic under this prefix. */
  public TopicCatalogue catalogue() {
    return new TopicCatalogue(topicPrefix, requestPartitions, replicationFactor);
  }

  private static Map<String, String> read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException e) {
      throw new IllegalArgumentException("properties-file cannot be read: " + e.getMessage(), e);
    }
    Map<String, String> map = new HashMap<>();
    properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
    return map;
  }

  private static String unquote(String path) {
    return String.join(".", com.typesafe.config.ConfigUtil.splitPath(path));
  }
}
