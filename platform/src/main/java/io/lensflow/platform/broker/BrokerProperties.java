package io.lensflow.platform.broker;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Settings of a broker that is its own controller and has no other beside it. Ports may change from
 * start to start: clients are told the new one, and the quorum has one voter.
 */
public final class BrokerProperties {
  private BrokerProperties() {}

  /** Kafka's {@code server.properties} for data in {@code folder}, reachable on this machine. */
  public static Map<String, String> singleNode(Path folder, int port, int controllerPort) {
    Map<String, String> properties = oneNode();
    listeners(properties, port, controllerPort);
    properties.put("log.dirs", folder.resolve("log").toString());
    return properties;
  }

  /** What suits any broker that stands alone, wherever it runs: all but listeners and folders. */
  public static Map<String, String> oneNode() {
    Map<String, String> properties = new HashMap<>();
    topics(properties);
    groups(properties);
    sizedForOneMachine(properties);
    return properties;
  }

  private static void listeners(Map<String, String> properties, int port, int controllerPort) {
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("inter.broker.listener.name", "PLAINTEXT");
    properties.put(
        "listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    properties.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
    // After a crash the controller waits for the old session to expire before the broker may join.
    properties.put("broker.session.timeout.ms", "1000");
    properties.put("broker.heartbeat.interval.ms", "200");
  }

  private static void topics(Map<String, String> properties) {
    properties.put("auto.create.topics.enable", "false");
    properties.put("default.replication.factor", "1");
    for (String internal : new String[] {"offsets.topic", "transaction.state.log"}) {
      properties.put(internal + ".num.partitions", "4");
      properties.put(internal + ".replication.factor", "1");
    }
    properties.put("transaction.state.log.min.isr", "1");
    properties.put("share.coordinator.state.topic.num.partitions", "4");
    properties.put("share.coordinator.state.topic.replication.factor", "1");
    properties.put("share.coordinator.state.topic.min.isr", "1");
  }

  /** Limits wide enough that a group can choose to notice a lost member within seconds. */
  private static void groups(Map<String, String> properties) {
    properties.put("group.initial.rebalance.delay.ms", "0");
    properties.put("group.min.session.timeout.ms", "1000");
    for (String protocol : new String[] {"consumer", "share"}) {
      properties.put("group." + protocol + ".min.session.timeout.ms", "3000");
      properties.put("group." + protocol + ".session.timeout.ms", "10000");
      properties.put("group." + protocol + ".min.heartbeat.interval.ms", "500");
      // Assignments travel with heartbeats: at the default of 5 s a first poll waits that long.
      properties.put("group." + protocol + ".heartbeat.interval.ms", "500");
      properties.put("group." + protocol + ".assignment.interval.ms", "100");
    }
    properties.put("group.share.initialize.retry.interval.ms", "1000");
    properties.put("group.share.min.record.lock.duration.ms", "1000");
    // Records finished behind one that is still held count too: a low limit starves idle workers.
    properties.put("group.share.max.partition.max.record.locks", "10000");
    properties.put("group.share.partition.max.record.locks", "10000");
  }

  private static void sizedForOneMachine(Map<String, String> properties) {
    properties.put("num.network.threads", "2");
    properties.put("num.io.threads", "4");
    // 128 MiB by default, half of our heap; 4 MiB compact 150,000 keys at a time.
    properties.put("log.cleaner.dedupe.buffer.size", "4194304");
    // Activations fill a disk faster than the default check, every 5 min, could empty it.
    properties.put("log.retention.check.interval.ms", "10000");
    properties.put("log.segment.delete.delay.ms", "1000");
  }
}
