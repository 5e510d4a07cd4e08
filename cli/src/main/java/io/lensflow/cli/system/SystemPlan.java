package io.lensflow.cli.system;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@link LocalSystem} shall consist of. Immutable.
 *
 * @param model the checkpoint's folder
 * @param servedName name under which clients know the model
 * @param dtype compute dtype; empty for the checkpoint's own
 * @param dataFolder where the embedded broker keeps its data and the services their log
 * @param bootstrapServers the user's own Kafka; empty starts the embedded broker
 * @param schemaRegistry the user's own registry; empty starts the embedded one
 * @param requestPartitions partitions of request-keyed topics, where topics are created
 * @param ports where things listen
 * @param overrides settings that win over all others, by full key
 */
public record SystemPlan(
    Path model,
    String servedName,
    String dtype,
    Path dataFolder,
    Optional<String> bootstrapServers,
    Optional<String> schemaRegistry,
    Optional<Integer> requestPartitions,
    Ports ports,
    Map<String, Object> overrides) {
  public SystemPlan {
    overrides = Map.copyOf(overrides);
  }

  /**
   * A system for a while: broker and registry embedded, free ports, three partitions.
   *
   * @param dtype compute dtype; empty for the checkpoint's own
   */
  public static SystemPlan embedded(
      Path model, String servedName, String dtype, Path folder, Map<String, Object> overrides) {
    return new SystemPlan(
        model.toAbsolutePath().normalize(),
        servedName,
        dtype,
        folder,
        Optional.empty(),
        Optional.empty(),
        Optional.of(3),
        Ports.FREE,
        overrides);
  }

  /**
   * Ports; 0 takes a free one.
   *
   * @param http the gateway's
   * @param steering the steering service's
   * @param kafka the embedded broker's
   * @param registry the embedded registry's
   */
  public record Ports(int http, int steering, int kafka, int registry) {
    /** All free ones. */
    public static final Ports FREE = new Ports(0, 0, 0, 0);
  }
}
