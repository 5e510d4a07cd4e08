package io.lensflow.decoder;

import com.typesafe.config.Config;
import io.lensflow.hub.ModelSource;
import io.lensflow.service.Settings;
import java.time.Duration;
import java.util.Map;

/**
 * Settings of the lens decoder: {@code lensflow.decoder}. What each means, and why its default is
 * what it is, stands in {@code reference.conf}.
 *
 * @param model served name of the model whose chunks it decodes
 * @param checkpoint where the checkpoint is: a folder, or on the hub
 * @param instanceId part of the transactional id; empty for a new one at each start
 * @param threads threads that a kernel spreads over; 0 takes all processors
 * @param batchRows rows of a full batch
 * @param batchDeadline longest wait of a row for others
 * @param maxHeldBytes bytes of unpublished chunks at which it stops fetching
 * @param maxTopK largest k that a request may ask for
 * @param lenses translators and vectors that it holds
 * @param maxResultBytes serialised size of a result at which it is split
 * @param transactionAge longest time between a result and its commit
 * @param transactionBytes size, roughly, at which a transaction is committed
 * @param transactionTimeout when the broker aborts the transaction of a decoder that hangs
 * @param sessionTimeout when the group takes a decoder for dead
 * @param host address of the operator's HTTP port
 * @param port the port; 0 takes a free one
 */
public record DecoderSettings(
    String model,
    ModelSource checkpoint,
    String instanceId,
    int threads,
    int batchRows,
    Duration batchDeadline,
    long maxHeldBytes,
    int maxTopK,
    LensSettings lenses,
    int maxResultBytes,
    Duration transactionAge,
    long transactionBytes,
    Duration transactionTimeout,
    Duration sessionTimeout,
    String host,
    int port) {
  /** Where the settings are in the configuration. */
  public static final String SECTION = "lensflow.decoder";

  private static final int MIB = 1 << 20;

  /**
   * Reads the application's configuration.
   *
   * @param overrides full keys to values that win over files and environment
   * @throws io.lensflow.service.SettingsException naming the key
   */
  public static DecoderSettings load(Map<String, ?> overrides) {
    return Settings.load(SECTION, overrides, DecoderSettings::from);
  }

  /** Reads the section. */
  public static DecoderSettings from(Config config) {
    String model = config.getString("model");
    String checkpoint = config.getString("checkpoint");
    Settings.check(
        !checkpoint.isBlank(), "checkpoint", "the folder of the model's checkpoint, or a hub id");
    ModelSource source = source(checkpoint);
    return new DecoderSettings(
        model.isBlank() ? source.servedName() : model,
        source,
        config.getString("instance-id"),
        atLeast(0, config, "threads", 1024),
        atLeast(1, config, "batch-rows", 1 << 16),
        duration(config, "batch-deadline", Duration.ZERO),
        bytes(config, "max-held-bytes", MIB),
        atLeast(1, config, "max-top-k", 1 << 16),
        LensSettings.from(config),
        Math.toIntExact(Math.min(bytes(config, "max-result-bytes", 4096), Integer.MAX_VALUE)),
        duration(config, "transaction-age", Duration.ofMillis(1)),
        bytes(config, "transaction-bytes", 4096),
        duration(config, "transaction-timeout", Duration.ofSeconds(1)),
        duration(config, "session-timeout", Duration.ofSeconds(1)),
        config.getString("host"),
        port(config));
  }

  private static ModelSource source(String checkpoint) {
    try {
      return ModelSource.of(checkpoint);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("checkpoint: " + e.getMessage(), e);
    }
  }

  private static int atLeast(int min, Config config, String key, int max) {
    int value = config.getInt(key);
    Settings.check(value >= min && value <= max, key, min + " … " + max);
    return value;
  }

  static long bytes(Config config, String key, long min) {
    long value = config.getBytes(key);
    Settings.check(value >= min, key, "at least " + min + " bytes");
    return value;
  }

  private static Duration duration(Config config, String key, Duration min) {
    Duration value = config.getDuration(key);
    Settings.check(
        value.compareTo(min) >= 0 && value.compareTo(Duration.ofHours(1)) <= 0,
        key,
        "between " + min.toMillis() + " ms and 1 hour");
    return value;
  }

  private static int port(Config config) {
    int port = config.getInt("port");
    Settings.check(port >= 0 && port <= 65535, "port", "0 … 65535");
    return port;
  }
}
