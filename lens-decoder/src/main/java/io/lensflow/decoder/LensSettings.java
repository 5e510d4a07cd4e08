package io.lensflow.decoder;

import com.typesafe.config.Config;
import io.lensflow.service.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Settings of the decoder about what it holds beside the head.
 *
 * @param folder where translators are; empty for none
 * @param interval how often the folder is looked at
 * @param maxBytes memory for translators
 * @param maxVectorBytes memory for steering vectors
 */
public record LensSettings(
    Optional<Path> folder, Duration interval, long maxBytes, long maxVectorBytes) {
  private static final long MIB = 1 << 20;

  /** Reads them from the decoder's section. */
  static LensSettings from(Config config) {
    String folder = config.getString("lenses");
    Duration interval = config.getDuration("lenses-interval");
    Settings.check(
        interval.compareTo(Duration.ofMillis(50)) >= 0
            && interval.compareTo(Duration.ofHours(1)) <= 0,
        "lenses-interval",
        "between 50 ms and 1 hour");
    return new LensSettings(
        folder.isBlank() ? Optional.empty() : Optional.of(Path.of(folder)),
        interval,
        DecoderSettings.bytes(config, "max-lens-bytes", MIB),
        DecoderSettings.bytes(config, "max-vector-bytes", MIB));
  }
}
