package io.lensflow.platform.broker;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Settings of a broker that is its own controller and has no other beside it. Ports may change from
 * start to start: clients are told the new one, and the quorum has one voter.
 */
public final class BrokerProperties {
  private BrokerProperties() {}

  /**
   * Kafka's {@code server.properties} for data in {@code folder}, reachable on this machine at
   * {@code port} and by others at the addresses {@code advertised}, each {@code host:port}.
   */
  public static Map<String, String> singleNode(
      Path folder, int port, int controllerPort, List<String> advertised) {
    Map<String, String> properties = oneNode();
    quorum(properties, controllerPort);
    listeners(properties, port, controllerPort, advertised);
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

  private static void quorum(Map<String, String> properties, int controllerPort) {
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    properties.put("controller.listener.names", "CONTROLLER");
    // After a crash the controller waits for the old session to expire before the broker may join.
    properties.put("broker.session.timeout.ms", "1000");
    properties.put("broker.heartbeat.interval.ms", "200");
  }

  /**
   * One listener for each address: Kafka tells clients the address of the listener they came by.
   */
  private static void listeners(
      Map<String, String> properties, int port, int controllerPort, List<String> advertised) {
    StringJoiner bound = new StringJoiner(",");
    StringJoiner told = new StringJoiner(",");
    StringJoiner protocols = new StringJoiner(",");
    bound.add("PLAINTEXT://127.0.0.1:" + port);
    told.add("PLAINTEXT://127.0.0.1:" + port);
    protocols.add("PLAINTEXT:PLAINTEXT");
    bound.add("CONTROLLER://127.0.0.1:" + controllerPort);
    protocols.add("CONTROLLER:PLAINTEXT");
    for (int i = 0; i < advertised.size(); i++) {
      String listener = "ADVERTISED" + i;
      bound.add(listener + "://0.0.0.0:" + BrokerOptions.portOf(advertised.get(i)));
      told.add(listener + "://" + advertised.get(i));
      protocols.add(listener + ":PLAINTEXT");
    }
    properties.put("listeners", bound.toString());
    properties.put("advertised.listeners", told.toString());
    properties.put("listener.security.protocol.map", protocols.toString());
    // The broker is its own client too, and may not reach itself by the address that others use.
    properties.put("inter.broker.listener.name", "PLAINTEXT");
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
