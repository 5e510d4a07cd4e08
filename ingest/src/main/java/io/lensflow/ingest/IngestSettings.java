package io.lensflow.ingest;

import com.typesafe.config.Config;
import io.lensflow.service.Settings;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Settings of the gateway: {@code lensflow.ingest}; {@code reference.conf} says what each is for.
 * Immutable.
 *
 * @param host address to listen on
 * @param port port to listen on; 0 takes a free one
 * @param allowedOrigins origins whose pages may use the API; {@code *} is every one
 * @param maxRequestBytes largest body
 * @param maxDeadline how far ahead a deadline may lie
 * @param brokerTimeout patience for acknowledgements and look-ups
 * @param requireLiveWorker whether a request for a model that nobody serves is refused
 * @param streams settings of event streams
 */
public record IngestSettings(
    String host,
    int port,
    List<String> allowedOrigins,
    int maxRequestBytes,
    Duration maxDeadline,
    Duration brokerTimeout,
    boolean requireLiveWorker,
    StreamSettings streams) {
  public static final String SECTION = "lensflow.ingest";

  public IngestSettings {
    allowedOrigins = List.copyOf(allowedOrigins);
  }

  /**
   * Reads {@code lensflow.ingest}.
   *
   * @param overrides full keys to values, which win over files and environment
   */
  public static IngestSettings load(Map<String, ?> overrides) {
    return Settings.load(SECTION, overrides, IngestSettings::from);
  }

  static IngestSettings from(Config config) {
    int port = config.getInt("port");
    Settings.check(port >= 0 && port <= 65535, "port", "0 … 65535");
    long bytes = config.getMemorySize("max-request-bytes").toBytes();
    Settings.check(
        bytes >= 1024 && bytes <= 64 << 20, "max-request-bytes", "between 1 KiB and 64 MiB");
    Duration brokerTimeout = config.getDuration("broker-timeout");
    Settings.check(brokerTimeout.toMillis() >= 100, "broker-timeout", "at least 100ms");
    Duration maxDeadline = config.getDuration("max-deadline");
    Settings.check(maxDeadline.toSeconds() > 0, "max-deadline", "at least 1s");
    return new IngestSettings(
        config.getString("host"),
        port,
        list(config.getString("allowed-origins")),
        (int) bytes,
        maxDeadline,
        brokerTimeout,
        config.getBoolean("require-live-worker"),
        StreamSettings.from(config.getConfig("streams")));
  }

  /** One string and not a HOCON list, so that an environment variable can say it. */
  private static List<String> list(String commaSeparated) {
    return Arrays.stream(commaSeparated.split(","))
        .map(String::strip)
        .filter(origin -> !origin.isEmpty())
        .toList();
  }
}
