package io.lensflow.bench.soak;

import io.lensflow.bench.soak.Target.Role;
import io.lensflow.cli.CommandFailure;
import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import io.lensflow.platform.net.Ports;
import io.lensflow.platform.registry.EmbeddedRegistry;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSizes;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;

/**
 * The system under test: a broker, two workers and two decoders, each a process of its own, and a
 * registry in this one, which has its schemas in a topic and in memory and so outlives the broker.
 * Thread-safe.
 */
final class Deployment implements AutoCloseable {
  /** Served name of the model. */
  static final String MODEL = "soak";

  private static final int PARTITIONS = 3;
  private static final long KEPT_BYTES_PARTITION = 16L << 30;
  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final long RECHECK_MILLIS = 100;

  /** Sessions and locks short enough that a pause of ten seconds outlasts them. */
  private static final Map<String, String> BROKER =
      Map.of(
          "group.share.session.timeout.ms", "6000",
          "group.share.record.lock.duration.ms", "10000");

  /** Producers give records up within a pause of the broker, as they otherwise do after 2 min. */
  private static final Map<String, Integer> CLIENTS =
      Map.of("delivery.timeout.ms", 6000, "request.timeout.ms", 3000, "linger.ms", 0);

  private final SoakSettings settings;
  private final Map<Target, ServiceProcess> services = new EnumMap<>(Target.class);

  /** A process that is paused hears no Ctrl-C, and would stay for ever. */
  private final Thread atExit = new Thread(this::killServices, "soak-exit");

  private volatile EmbeddedBroker broker;
  private EmbeddedRegistry registry;
  private KafkaSettings kafka;

  private Deployment(SoakSettings settings) {
    this.settings = settings;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /** Starts broker, registry and topics; the services follow with {@link #startServices}. */
  static Deployment start(SoakSettings settings) throws IOException {
    Deployment deployment = new Deployment(settings);
    try {
      deployment.startKafka();
      return deployment;
    } catch (IOException | RuntimeException e) {
      deployment.close();
      throw e;
    }
  }

  private void startKafka() throws IOException {
    broker = EmbeddedBroker.start(brokerOptions(0));
    registry = EmbeddedRegistry.start(broker.bootstrapServers(), 0);
    kafka =
        new KafkaSettings(
            broker.bootstrapServers(), registry.uri(), "", PARTITIONS, (short) 1, Map.of());
    TopicSizes usual = TopicSizes.DEFAULT;
    // All rows are there until they have been checked.
    TopicSizes sizes =
        new TopicSizes(
            usual.requestRetention(),
            usual.activationRetention(),
            KEPT_BYTES_PARTITION,
            usual.lensResultRetention(),
            usual.maxRecordBytes());
    try (Admin admin = new KafkaClients(kafka).admin()) {
      TopicProvisioner.create(admin, new TopicCatalogue("", PARTITIONS, (short) 1, sizes).specs());
    }
  }

  private BrokerOptions brokerOptions(int port) {
    return BrokerOptions.in(settings.folder().resolve("kafka"))
        .withPort(port)
        .withProperties(BROKER);
  }

  /** Starts workers and decoders and returns when they can work. */
  void startServices() throws IOException, InterruptedException {
    Path logs = Files.createDirectories(settings.folder().resolve("logs"));
    Set<Integer> ports = new HashSet<>();
    for (Target target : Target.values()) {
      if (target.role() != Role.BROKER) {
        int port = Ports.freeOtherThan(ports);
        ports.add(port);
        ServiceProcess service =
            new ServiceProcess(
                arguments(target, port), port, logs.resolve(target.label() + ".log"));
        services.put(target, service);
        service.start();
      }
    }
    awaitReady();
  }

  /** Returns when all services can work; those that have ended are started again. */
  void awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    for (Map.Entry<Target, ServiceProcess> service : services.entrySet()) {
      while (!service.getValue().isReady()) {
        if (System.nanoTime() > deadline) {
          throw new CommandFailure(
              "%s is not ready after %d minutes; see %s"
                  .formatted(
                      service.getKey().label(),
                      START_LIMIT.toMinutes(),
                      settings.folder().resolve("logs")));
        }
        keepRunning();
        Thread.sleep(RECHECK_MILLIS);
      }
    }
  }

  private List<String> arguments(Target target, int port) {
    boolean worker = target.role() == Role.WORKER;
    List<String> arguments =
        new ArrayList<>(
            List.of(
                worker ? "worker" : "decoder",
                "--model=" + settings.model(),
                "--served-name=" + MODEL,
                "--bootstrap-servers=" + kafka.bootstrapServers(),
                "--schema-registry=" + kafka.schemaRegistry()));
    set(arguments, "kafka.request-partitions", PARTITIONS);
    CLIENTS.forEach((key, value) -> set(arguments, "kafka.properties.\"" + key + "\"", value));
    if (worker) {
      arguments.add("--dtype=float32");
      set(arguments, "worker.name", target.label());
      set(arguments, "worker.slots", 4);
      set(arguments, "worker.threads", 1);
      set(arguments, "worker.kv-tokens", 4096);
      set(arguments, "worker.http.port", port);
    } else {
      set(arguments, "decoder.instance-id", target.label());
      set(arguments, "decoder.threads", 1);
      set(arguments, "decoder.port", port);
    }
    settings.services().forEach((key, value) -> arguments.add("--set=" + key + "=" + value));
    return arguments;
  }

  private static void set(List<String> arguments, String key, Object value) {
    arguments.add("--set=lensflow." + key + "=" + value);
  }

  /** How clients reach it. */
  KafkaSettings kafka() {
    return kafka;
  }

  /** Ends a process at once. */
  void kill(Target target) throws InterruptedException {
    if (target == Target.BROKER) {
      ProcessHandle child = ProcessHandle.of(broker.pid()).orElseThrow();
      child.destroyForcibly();
      child.onExit().join();
    } else {
      services.get(target).kill();
    }
  }

  /** Ends a process in good order. */
  void stop(Target target) throws InterruptedException {
    if (target == Target.BROKER) {
      broker.close();
    } else {
      services.get(target).stop();
    }
  }

  /** Starts a process that was killed or stopped, the broker over its data and on its port. */
  void startAgain(Target target) throws IOException {
    if (target == Target.BROKER) {
      broker = EmbeddedBroker.start(brokerOptions(broker.port()));
    } else {
      services.get(target).start();
    }
  }

  /** Freezes a process: no heartbeat, no fetch, its sockets stay open. */
  void pause(Target target) throws IOException, InterruptedException {
    signal("STOP", target);
  }

  /** Lets it go on where it was. */
  void wake(Target target) throws IOException, InterruptedException {
    signal("CONT", target);
  }

  private void signal(String name, Target target) throws IOException, InterruptedException {
    if (target == Target.BROKER) {
      Signals.send(name, broker.pid());
    } else {
      services.get(target).signal(name);
    }
  }

  /** Does what whoever runs services does: starts those again that ended by themselves. */
  void keepRunning() throws IOException {
    for (ServiceProcess service : services.values()) {
      service.startAgainIfGone();
    }
  }

  /** How often services ended though nobody struck them. */
  int endedByThemselves() {
    return services.values().stream().mapToInt(ServiceProcess::endedByItself).sum();
  }

  private void killServices() {
    services.values().forEach(ServiceProcess::close);
    try {
      if (broker != null) {
        Signals.send("CONT", broker.pid());
      }
    } catch (IOException e) {
      // It is dead: nothing to wake.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // It runs already.
    }
    killServices();
    if (registry != null) {
      registry.close();
    }
    if (broker != null) {
      broker.close();
    }
  }
}
