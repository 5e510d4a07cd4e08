package io.lensflow.ingest;

import com.typesafe.config.Config;
import io.lensflow.service.Settings;
import java.time.Duration;

/**
 * Settings of event streams: {@code lensflow.ingest.streams}. Immutable.
 *
 * @param max streams at a time
 * @param bufferBytes bytes of undecoded records that may wait for one client
 * @param heartbeat time between comments
 * @param readers streams that read the log by themselves at a time
 * @param readerWait how long a stream waits for its turn to read
 * @param resultsWait patience for results after a terminal event
 * @param silenceLimit patience for a request that is silent
 * @param clockSkew how far the clocks of clients and brokers may differ
 */
public record StreamSettings(
    int max,
    int bufferBytes,
    Duration heartbeat,
    int readers,
    Duration readerWait,
    Duration resultsWait,
    Duration silenceLimit,
    Duration clockSkew) {
  static StreamSettings from(Config config) {
    Settings.check(config.getInt("max") > 0, "streams.max", "at least 1");
    Settings.check(config.getInt("readers") > 0, "streams.readers", "at least 1");
    long buffer = config.getMemorySize("buffer-bytes").toBytes();
    Settings.check(
        buffer >= 4096 && buffer <= Integer.MAX_VALUE, "streams.buffer-bytes", "4 KiB … 2 GiB");
    return new StreamSettings(
        config.getInt("max"),
        (int) buffer,
        positive(config, "heartbeat"),
        config.getInt("readers"),
        positive(config, "reader-wait"),
        positive(config, "results-wait"),
        positive(config, "silence-limit"),
        config.getDuration("clock-skew"));
  }

  private static Duration positive(Config config, String key) {
    Duration duration = config.getDuration(key);
    Settings.check(duration.toMillis() > 0, "streams." + key, "longer than 0");
    return duration;
  }
}
