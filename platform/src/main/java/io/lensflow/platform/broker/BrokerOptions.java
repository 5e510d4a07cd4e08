package io.lensflow.platform.broker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How an embedded broker is to run. Immutable.
 *
 * @param folder where its data lies, created if absent; null takes a temporary one that goes with
 *     the broker
 * @param port port on the loopback address; 0 takes a free one
 * @param advertised addresses {@code host:port} by which other machines reach it, besides; for each
 *     it listens at that port on every network interface, and sends those who come by it back to it
 * @param heapMebibytes maximum heap of the child JVM
 * @param startTimeout how long the start may take
 * @param properties broker settings by Kafka's names, over those that {@link BrokerProperties}
 *     gives
 */
public record BrokerOptions(
    Path folder,
    int port,
    List<String> advertised,
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
    advertised = List.copyOf(advertised);
    advertised.forEach(BrokerOptions::portOf);
    properties = Map.copyOf(properties);
  }

  /** Data in a temporary folder, a free port. */
  public static BrokerOptions temporary() {
    return new BrokerOptions(null, 0, List.of(), HEAP_MEBIBYTES, START_TIMEOUT, Map.of());
  }

  /** Data in a folder that stays, a free port. */
  public static BrokerOptions in(Path folder) {
    Objects.requireNonNull(folder, "folder");
    return new BrokerOptions(folder, 0, List.of(), HEAP_MEBIBYTES, START_TIMEOUT, Map.of());
  }

  /** The same on a given port; 0 takes a free one. */
  public BrokerOptions withPort(int newPort) {
    return new BrokerOptions(folder, newPort, advertised, heapMebibytes, startTimeout, properties);
  }

  /**
   * The same, reachable by other machines too.
   *
   * @param addresses each {@code host:port}; replace earlier ones
   * @throws IllegalArgumentException if one is not {@code host:port}
   */
  public BrokerOptions withAdvertised(List<String> addresses) {
    return new BrokerOptions(folder, port, addresses, heapMebibytes, startTimeout, properties);
  }

  /** The same with broker settings, which replace earlier ones. */
  public BrokerOptions withProperties(Map<String, String> newProperties) {
    return new BrokerOptions(folder, port, advertised, heapMebibytes, startTimeout, newProperties);
  }

  /** Port of an advertised address. */
  static int portOf(String address) {
    int colon = address.lastIndexOf(':');
    String digits = address.substring(colon + 1);
    if (colon < 1 || !digits.matches("[1-9][0-9]{0,4}") || Integer.parseInt(digits) > 65535) {
      throw new IllegalArgumentException(
          "an advertised address must be host:port, such as broker:9092: " + address);
    }
    return Integer.parseInt(digits);
  }
}
