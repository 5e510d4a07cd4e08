package io.lensflow.platform.broker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * How an embedded broker is to run. Immutable.
 *
 * @param folder where its data lies, created if absent; null takes a temporary one that goes with
 *     the broker
 * @param port port on the loopback address; 0 takes a free one
 * @param heapMebibytes maximum heap of the child JVM
 * @param startTimeout how long the start may take
 * @param properties broker settings by Kafka's names, over those that {@link BrokerProperties}
 *     gives
 */
public record BrokerOptions(
    Path folder,
    int port,
    int heapMebibytes,
    Duration startTimeout,
    Map<String, String> properties) {
  private static final int HEAP_MEBIBYTES = 256;
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  public BrokerOptions {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port must be 0 … 65535 (0 takes a free one): " + port);
    }
    if (heapMebibytes < 64) {
      throw new IllegalArgumentException("heapMebibytes must be at least 64: " + heapMebibytes);
    }
    Objects.requireNonNull(startTimeout, "startTimeout");
    properties = Map.copyOf(properties);
  }

  /** Data in a temporary folder, a free port. */
  public static BrokerOptions temporary() {
    return new BrokerOptions(null, 0, HEAP_MEBIBYTES, START_TIMEOUT, Map.of());
  }

  /** Data in a folder that stays, a free port. */
  public static BrokerOptions in(Path folder) {
    Objects.requireNonNull(folder, "folder");
    return new BrokerOptions(folder, 0, HEAP_MEBIBYTES, START_TIMEOUT, Map.of());
  }

  /** The same on a given port; 0 takes a free one. */
  public BrokerOptions withPort(int newPort) {
    return new BrokerOptions(folder, newPort, heapMebibytes, startTimeout, properties);
  }

  /** The same with broker settings, which replace earlier ones. */
  public BrokerOptions withProperties(Map<String, String> newProperties) {
    return new BrokerOptions(folder, port, heapMebibytes, startTimeout, newProperties);
  }
}
