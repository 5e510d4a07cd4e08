package io.lensflow.cli.option;

import io.lensflow.client.ClientOptions;
import io.lensflow.service.KafkaSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Where Kafka and the registry are; what is not given comes from the settings. */
public final class ConnectionOptions {
  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "Kafka to use (default: LENSFLOW_KAFKA_BOOTSTRAP_SERVERS, localhost:9092).")
  String bootstrapServers;

  @Option(
      names = "--schema-registry",
      paramLabel = "URL",
      description =
          "Schema registry to use (default: LENSFLOW_KAFKA_SCHEMA_REGISTRY, http://localhost:8081).")
  String schemaRegistry;

  @Option(
      names = "--topic-prefix",
      paramLabel = "TEXT",
      description = "Put before every topic's name.")
  String topicPrefix;

  @Option(
      names = "--kafka-config",
      paramLabel = "FILE",
      description = "Java properties file with settings for Kafka clients, such as sasl.*.")
  Path kafkaConfig;

  @Option(
      names = "--connect-timeout",
      paramLabel = "DURATION",
      defaultValue = "10s",
      converter = DurationConverter.class,
      description = "How long a broker may take to answer (default: ${DEFAULT-VALUE}).")
  Duration connectTimeout;

  /** Whether the user named a Kafka of their own. */
  public boolean namesKafka() {
    return bootstrapServers != null;
  }

  /** Whether the user named a registry of their own. */
  public boolean namesRegistry() {
    return schemaRegistry != null;
  }

  /** These options as settings. */
  public Map<String, Object> overrides() {
    Map<String, Object> overrides = new LinkedHashMap<>();
    put(overrides, "bootstrap-servers", bootstrapServers);
    put(overrides, "schema-registry", schemaRegistry);
    put(overrides, "topic-prefix", topicPrefix);
    put(overrides, "properties-file", kafkaConfig == null ? null : kafkaConfig.toString());
    return overrides;
  }

  private static void put(Map<String, Object> overrides, String key, String value) {
    if (value != null) {
      overrides.put(KafkaSettings.SECTION + "." + key, value);
    }
  }

  /** Settings of Kafka: options over environment over files. */
  public KafkaSettings kafka() {
    return KafkaSettings.load(overrides());
  }

  /** Options of the client. */
  public ClientOptions client() {
    return client(kafka()).withConnectTimeout(connectTimeout);
  }

  /** Options of a client with given settings. */
  public static ClientOptions client(KafkaSettings kafka) {
    return ClientOptions.of(kafka.bootstrapServers(), kafka.schemaRegistry(), kafka.catalogue())
        .withKafkaProperties(kafka.properties());
  }

  /** How long a broker may take to answer. */
  public Duration connectTimeout() {
    return connectTimeout;
  }
}
