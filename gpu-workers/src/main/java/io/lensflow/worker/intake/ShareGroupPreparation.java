package io.lensflow.worker.intake;

import io.lensflow.worker.WorkerStartException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes sure, before the first slot joins, that a broker's share groups can carry requests, and
 * sets what the group needs. Each limit that does not fit is named with the key that moves it.
 *
 * <ul>
 *   <li>The group starts at the earliest record: by default it would pass over what was sent before
 *       the first worker came.
 *   <li>The broker archives a record without a word after so many deliveries: the worker's own
 *       limits have to come first.
 *   <li>What is in flight per partition counts from the first record held, finished ones included:
 *       the limit is set to the broker's maximum, so that one long request does not stop the
 *       others.
 *   <li>A group takes so many consumers, and there is one per slot.
 * </ul>
 */
public final class ShareGroupPreparation {
  private static final Logger log = LoggerFactory.getLogger(ShareGroupPreparation.class);
  private static final long TIMEOUT_SECONDS = 30;

  private static final String FEATURE = "share.version";
  private static final String BROKER_MAX_SIZE = "group.share.max.size";
  private static final String BROKER_MAX_SESSIONS = "group.share.max.share.sessions";
  private static final String BROKER_DELIVERIES = "group.share.delivery.count.limit";
  private static final String BROKER_MAX_DELIVERIES = "group.share.max.delivery.count.limit";
  private static final String BROKER_MAX_LOCKS = "group.share.max.partition.max.record.locks";
  private static final String GROUP_RESET = "share.auto.offset.reset";
  private static final String GROUP_DELIVERIES = "share.delivery.count.limit";
  private static final String GROUP_LOCKS = "share.partition.max.record.locks";

  private static final int DELIVERY_LIMIT = RequestSession.MAX_DELIVERIES + 1;

  private final Admin admin;
  private final String group;
  private final Consumers consumers;

  private ShareGroupPreparation(Admin admin, String group, Consumers consumers) {
    this.admin = admin;
    this.group = group;
    this.consumers = consumers;
  }

  /**
   * What a worker adds to a group.
   *
   * @param most consumers that it has in the group at a time, at most
   * @param settings the settings that say so, with their values
   */
  public record Consumers(int most, String settings) {}

  /**
   * Checks and prepares a group.
   *
   * @throws WorkerStartException naming the key that has to change
   */
  public static void prepare(Admin admin, String group, Consumers consumers) {
    new ShareGroupPreparation(admin, group, consumers).run();
  }

  private void run() {
    requireShareGroups();
    Config broker = brokerConfig();
    requireRoom(broker, BROKER_MAX_SIZE, "consumers of one group");
    requireRoom(broker, BROKER_MAX_SESSIONS, "share sessions of one broker");
    set(GROUP_RESET, "earliest");
    int maxDeliveries = number(broker, BROKER_MAX_DELIVERIES, DELIVERY_LIMIT);
    if (maxDeliveries < DELIVERY_LIMIT) {
      throw new WorkerStartException(
          "the broker's %s is %d; workers need %d, because a record is dropped without a word after so many deliveries: raise it, or set lensflow.worker.request-source = classic-group"
              .formatted(BROKER_MAX_DELIVERIES, maxDeliveries, DELIVERY_LIMIT));
    }
    setDeliveryLimit(broker);
    int maxLocks = number(broker, BROKER_MAX_LOCKS, 0);
    if (maxLocks > 0) {
      trySet(GROUP_LOCKS, Integer.toString(maxLocks));
    }
  }

  private void requireShareGroups() {
    Map<String, FinalizedVersionRange> features =
        get(admin.describeFeatures().featureMetadata(), "features").finalizedFeatures();
    FinalizedVersionRange share = features.get(FEATURE);
    if (share == null || share.maxVersionLevel() < 1) {
      throw new WorkerStartException(
          "the broker has no share groups (feature %s is off; they need Kafka 4.2): set lensflow.worker.request-source = classic-group, or turn the feature on"
              .formatted(FEATURE));
    }
  }

  private Config brokerConfig() {
    Collection<Node> nodes = get(admin.describeCluster().nodes(), "the cluster");
    ConfigResource broker =
        new ConfigResource(ConfigResource.Type.BROKER, nodes.iterator().next().idString());
    return get(admin.describeConfigs(List.of(broker)).all(), "the broker's settings").get(broker);
  }

  private void requireRoom(Config broker, String key, String what) {
    int most = number(broker, key, Integer.MAX_VALUE);
    if (consumers.most() > most) {
      throw new WorkerStartException(
          "%s, but the broker's %s allows %d %s: lower the one or raise the other"
              .formatted(consumers.settings(), key, most, what));
    }
  }

  private void setDeliveryLimit(Config broker) {
    if (!trySet(GROUP_DELIVERIES, Integer.toString(DELIVERY_LIMIT))) {
      int limit = number(broker, BROKER_DELIVERIES, 0);
      if (limit < DELIVERY_LIMIT) {
        throw new WorkerStartException(
            "this broker knows no delivery limit per group, and its own %s is %d: raise it to %d"
                .formatted(BROKER_DELIVERIES, limit, DELIVERY_LIMIT));
      }
    }
  }

  private static int number(Config config, String key, int otherwise) {
    ConfigEntry entry = config.get(key);
    return entry == null || entry.value() == null ? otherwise : Integer.parseInt(entry.value());
  }

  private void set(String key, String value) {
    if (!trySet(key, value)) {
      throw new WorkerStartException(
          "the broker does not take %s = %s for group %s".formatted(key, value, group));
    }
  }

  /** Sets a key of the group; false if the broker does not know or take it. */
  private boolean trySet(String key, String value) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
    AlterConfigOp op = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    try {
      await(admin.incrementalAlterConfigs(Map.of(resource, List.of(op))).all());
      return true;
    } catch (ExecutionException e) {
      boolean refused =
          e.getCause() instanceof InvalidConfigurationException
              || e.getCause() instanceof InvalidRequestException;
      if (refused) {
        log.warn("group {} cannot have {} = {}: {}", group, key, value, e.getCause().getMessage());
        return false;
      }
      throw new WorkerStartException(
          "%s of group %s cannot be set: %s".formatted(key, group, e.getCause().getMessage()), e);
    }
  }

  private static <T> T get(KafkaFuture<T> future, String what) {
    try {
      return await(future);
    } catch (ExecutionException e) {
      throw new WorkerStartException(
          "%s cannot be read from the broker: %s".formatted(what, e.getCause().getMessage()), e);
    }
  }

  private static <T> T await(KafkaFuture<T> future) throws ExecutionException {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new WorkerStartException(
          "the broker did not answer in %d s".formatted(TIMEOUT_SECONDS), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerStartException("interrupted while the group was prepared", e);
    }
  }
}
