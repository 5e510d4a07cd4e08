package io.lensflow.cli.system;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.client.ClientOptions;
import io.lensflow.client.LensflowClient;
import io.lensflow.decoder.DecoderService;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.ingest.IngestService;
import io.lensflow.ingest.IngestSettings;
import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import io.lensflow.platform.registry.EmbeddedRegistry;
import io.lensflow.platform.registry.RegistryOptions;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.steering.SteeringService;
import io.lensflow.steering.SteeringSettings;
import io.lensflow.worker.WorkerService;
import io.lensflow.worker.WorkerSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;

/**
 * Everything on one machine: embedded broker and registry (or the user's own), worker, decoder,
 * steering service and gateway. Each is what it is as a process of its own; they talk through the
 * topics only.
 *
 * <p>Thread-safe. Services start side by side, on threads named {@code lensflow-start-N} that end
 * with the start.
 */
public final class LocalSystem implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(5);
  private static final long RECHECK_MILLIS = 50;

  private final SystemPlan plan;
  private final Progress progress;
  private final Deque<AutoCloseable> running = new ArrayDeque<>();
  private KafkaSettings kafka;
  private EmbeddedBroker broker;
  private LensflowClient client;
  private volatile boolean closed;
  private IngestService ingest;
  private SteeringService steering;

  /** A system that does not run yet. */
  public LocalSystem(SystemPlan plan, Progress progress) {
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Starts everything and returns when a request can be sent.
   *
   * @throws CommandFailure or the exception of the part that did not start; what had started is
   *     stopped again
   */
  public void start() throws Exception {
    try {
      open();
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  private void open() throws Exception {
    requireFree("--port", plan.ports().http());
    requireFree("--steering-port", plan.ports().steering());
    if (plan.bootstrapServers().isEmpty()) {
      requireFree("--kafka-port", plan.ports().kafka());
    }
    if (plan.schemaRegistry().isEmpty()) {
      requireFree("--registry-port", plan.ports().registry());
    }
    progress.say("Starting Lensflow with the model '%s'…".formatted(plan.servedName()));
    startKafka();
    createTopics();
    client = keep(LensflowClient.open(clientOptions()));
    startServices();
  }

  /** Said before anything is started, where the answer is known then. */
  private static void requireFree(String option, int port) {
    if (port == 0) {
      return;
    }
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(null))) {
      assert socket.isBound();
    } catch (IOException e) {
      throw new CommandFailure(
          "port %d is in use by another program; stop that one, or choose another with %s"
              .formatted(port, option),
          e);
    }
  }

  private void startKafka() throws Exception {
    long begin = System.nanoTime();
    String servers = plan.bootstrapServers().orElse(null);
    if (servers == null) {
      broker =
          keep(
              EmbeddedBroker.start(
                  BrokerOptions.in(plan.dataFolder().resolve("kafka"))
                      .withPort(plan.ports().kafka())));
      servers = broker.bootstrapServers();
      say("Kafka broker", servers, begin);
    }
    Map<String, Object> overrides = new HashMap<>(plan.overrides());
    overrides.put("lensflow.kafka.bootstrap-servers", servers);
    plan.requestPartitions()
        .ifPresent(count -> overrides.putIfAbsent("lensflow.kafka.request-partitions", count));
    plan.schemaRegistry().ifPresent(url -> overrides.put("lensflow.kafka.schema-registry", url));
    kafka = KafkaSettings.load(overrides);
    if (plan.schemaRegistry().isEmpty()) {
      begin = System.nanoTime();
      RegistryOptions local = RegistryOptions.local(servers, plan.ports().registry());
      EmbeddedRegistry registry =
          keep(
              EmbeddedRegistry.start(
                  new RegistryOptions(
                      servers, local.host(), local.port(), local.topic(), kafka.properties())));
      overrides.put("lensflow.kafka.schema-registry", registry.uri().toString());
      kafka = KafkaSettings.load(overrides);
      say("schema registry", registry.uri().toString(), begin);
    }
  }

  private void createTopics() {
    try (Admin admin = new KafkaClients(kafka).admin()) {
      TopicProvisioner.create(admin, kafka.catalogue().specs());
      // Its batch lane, for builds and evaluations.
      TopicProvisioner.create(admin, kafka.catalogue().specs(plan.servedName()));
    }
  }

  private void startServices() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4, LocalSystem::startThread);
    try {
      List<Future<?>> starts = new ArrayList<>();
      starts.add(threads.submit(timed("worker", this::startWorker)));
      starts.add(threads.submit(timed("lens decoder", this::startDecoder)));
      starts.add(threads.submit(timed("steering service", this::startSteering)));
      starts.add(threads.submit(timed("gateway", this::startIngest)));
      Exception first = null;
      for (Future<?> start : starts) {
        try {
          start.get();
        } catch (ExecutionException e) {
          first = first != null ? first : asException(e.getCause());
        }
      }
      if (first != null) {
        throw first;
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static Thread startThread(Runnable work) {
    Thread thread = new Thread(work, "lensflow-start");
    thread.setDaemon(true);
    return thread;
  }

  private Callable<Void> timed(String name, Callable<String> start) {
    return () -> {
      long begin = System.nanoTime();
      say(name, start.call(), begin);
      return null;
    };
  }

  private String startWorker() throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.worker.model", plan.model().toString());
    settings.put("lensflow.worker.served-name", plan.servedName());
    settings.put("lensflow.worker.dtype", plan.dtype());
    settings.put("lensflow.worker.http.port", 0);
    settings.putAll(plan.overrides());
    keep(WorkerService.start(WorkerSettings.load(settings), kafka, progress));
    await("the worker", () -> client.models().model(plan.servedName()).isPresent());
    return plan.model().toString();
  }

  private String startDecoder() throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.decoder.model", plan.servedName());
    settings.put("lensflow.decoder.checkpoint", plan.model().toString());
    settings.put("lensflow.decoder.port", 0);
    settings.put("lensflow.decoder.lenses", plan.dataFolder().resolve("lenses").toString());
    settings.putAll(plan.overrides());
    DecoderService decoder = keep(DecoderService.start(DecoderSettings.load(settings), kafka));
    await("the lens decoder", () -> decoder.readiness().ready());
    return "";
  }

  private String startSteering() throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.steering.host", "127.0.0.1");
    settings.put("lensflow.steering.port", plan.ports().steering());
    settings.put("lensflow.steering.tokenizers", plan.servedName() + "=" + plan.model());
    settings.putAll(plan.overrides());
    steering = keep(SteeringService.start(SteeringSettings.load(settings), kafka));
    await("the steering service", steering::isWriter);
    return steeringUri().toString();
  }

  private String startIngest() throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.ingest.port", plan.ports().http());
    settings.putAll(plan.overrides());
    ingest = keep(IngestService.start(IngestSettings.load(settings), kafka));
    return httpUri().toString();
  }

  private static void await(String what, BooleanSupplier ready) throws InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (!ready.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new CommandFailure(
            what + " is not ready after " + START_LIMIT.toMinutes() + " minutes; see the log");
      }
      Thread.sleep(RECHECK_MILLIS);
    }
  }

  private void say(String what, String where, long begin) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    progress.say("  %-17s %-44s %4.1f s".formatted(what, where, seconds));
  }

  private static Exception asException(Throwable cause) {
    return cause instanceof Exception exception ? exception : new IllegalStateException(cause);
  }

  /** Remembers a part for {@link #close}; one that comes too late is closed at once. */
  private <T extends AutoCloseable> T keep(T part) throws Exception {
    synchronized (this) {
      if (!closed) {
        running.push(part);
        return part;
      }
    }
    part.close();
    throw new CommandFailure("stopped while it was starting");
  }

  /** Settings by which Kafka clients reach it. */
  public KafkaSettings kafka() {
    return kafka;
  }

  /** Options by which clients reach it. */
  public ClientOptions clientOptions() {
    return ConnectionOptions.client(kafka);
  }

  /** A client of the system's own; closed with it. */
  public LensflowClient client() {
    return client;
  }

  /** Where the gateway listens. */
  public URI httpUri() {
    return URI.create("http://127.0.0.1:" + ingest.port());
  }

  /** Where the steering service listens. */
  public URI steeringUri() {
    return URI.create("http://127.0.0.1:" + steering.port());
  }

  /** Completes if the embedded broker ends; never where the user's own Kafka is used. */
  public CompletableFuture<Integer> brokerExit() {
    return Optional.ofNullable(broker)
        .map(EmbeddedBroker::onExit)
        .orElseGet(CompletableFuture::new);
  }

  /** Whether {@link #close} was called. */
  public boolean isClosed() {
    return closed;
  }

  /** Stops everything, what was started last first. Closing twice is harmless. */
  @Override
  public synchronized void close() {
    closed = true;
    while (!running.isEmpty()) {
      try {
        running.pop().close();
      } catch (Exception e) {
        progress.say("stopping: " + e.getMessage());
      }
    }
  }
}
