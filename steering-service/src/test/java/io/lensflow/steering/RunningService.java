package io.lensflow.steering;

import io.lensflow.records.AuditEvent;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.Topics.Seen;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** One instance over a test's broker, and the topics seen from outside. */
final class RunningService implements AutoCloseable {
  static final Duration LIMIT = Duration.ofSeconds(20);

  final TopicCatalogue names;
  final Topics topics;
  private final KafkaEnvironment kafka;
  private final Map<String, Object> settings = new HashMap<>();
  private final Map<String, WorkerHeartbeat> alive = new ConcurrentHashMap<>();
  private final ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor();
  private SteeringService service;
  private SteeringHttp http;

  /**
   * Starts an instance that writes.
   *
   * @param more further settings
   */
  RunningService(KafkaEnvironment kafka, Map<String, Object> more) throws Exception {
    this.kafka = kafka;
    this.names = kafka.catalogue();
    kafka.createTopics();
    this.topics = new Topics(kafka);
    settings.put("lensflow.steering.host", "127.0.0.1");
    settings.put("lensflow.steering.port", 0);
    settings.put("lensflow.steering.max-body-bytes", 100_000);
    settings.putAll(more);
    beats.scheduleWithFixedDelay(() -> alive.keySet().forEach(this::beat), 1, 1, TimeUnit.SECONDS);
    start();
  }

  private void start() throws Exception {
    service = SteeringService.start(SteeringSettings.load(settings), Topics.settings(kafka));
    http = new SteeringHttp(service.port());
    Await.until("this instance writes", LIMIT, service::isWriter);
  }

  /** Ends it and starts another over the same topics. */
  void restart() throws Exception {
    service.close();
    start();
  }

  SteeringHttp http() {
    return http;
  }

  /** Says what a worker of a model with 4 layers of 2 values would, now and from now on. */
  void heartbeat(
      String model, String worker, List<VectorVersion> vectors, List<RefusedVector> refused) {
    heartbeat(
        WorkerHeartbeat.newBuilder()
            .setWorker(worker)
            .setIncarnation(worker + "-1")
            .setModel(model)
            .setLayers(4)
            .setHiddenSize(2)
            .setVectors(vectors)
            .setRefused(refused)
            .build());
  }

  /** Says this, now and until the worker says something else. */
  void heartbeat(WorkerHeartbeat heartbeat) {
    alive.put(heartbeat.getWorker(), heartbeat);
    beat(heartbeat.getWorker());
  }

  /** What the worker says now; one thread at a time, so that nothing older comes after it. */
  private synchronized void beat(String worker) {
    topics.write(names.workers(), worker, alive.get(worker));
  }

  /** Waits until the service knows a worker of the model, by a vector that is published. */
  void awaitWorker(String model, String name) {
    Await.until(
        "the worker is seen",
        LIMIT,
        () ->
            http.get(SteeringHttp.vector(model, name) + "/status").json().path("workers").size()
                == 1);
  }

  List<Seen<SteeringVector>> ofModel(String model) {
    return topics.read(names.steeringVectors(), SteeringVector.class).stream()
        .filter(seen -> seen.key().startsWith(model + "/"))
        .toList();
  }

  SteeringAlias lastAlias(String key) {
    List<Seen<SteeringAlias>> seen =
        topics.read(names.steeringAliases(), SteeringAlias.class).stream()
            .filter(alias -> alias.key().equals(key))
            .toList();
    return seen.get(seen.size() - 1).value();
  }

  List<AuditEvent> audit(String model) {
    return topics.read(names.audit(), AuditEvent.class).stream()
        .map(Seen::value)
        .filter(event -> event.getModel().equals(model))
        .toList();
  }

  @Override
  public void close() {
    beats.shutdownNow();
    service.close();
    topics.close();
  }
}
