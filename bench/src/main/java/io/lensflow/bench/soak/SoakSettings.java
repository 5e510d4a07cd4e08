package io.lensflow.bench.soak;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * What a soak run is.
 *
 * @param seed of requests and faults
 * @param duration for how long requests are sent
 * @param faults how many faults strike meanwhile
 * @param rate requests per second, on average
 * @param model folder of the checkpoint
 * @param folder where everything is kept: broker's data, logs, records, what the engine expects
 * @param python interpreter with the packages that the checker needs
 * @param services settings of workers and decoders by their full keys, over those that a run has
 */
public record SoakSettings(
    long seed,
    Duration duration,
    int faults,
    double rate,
    Path model,
    Path folder,
    String python,
    Map<String, Object> services) {
  public SoakSettings {
    services = Map.copyOf(services);
    if (duration.compareTo(Duration.ofSeconds(10)) < 0) {
      throw new IllegalArgumentException("--duration is less than 10 s: " + duration);
    }
    if (faults < 0) {
      throw new IllegalArgumentException("--faults is " + faults + "; 0 is the least");
    }
    if (!(rate > 0 && rate <= 1000)) {
      throw new IllegalArgumentException("--rate is " + rate + "; it is above 0, at most 1000");
    }
  }
}
