package io.lensflow.worker;

import akka.actor.typed.ActorSystem;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.LoadProgress;
import io.lensflow.hub.ModelFiles;
import io.lensflow.hub.ModelHub;
import io.lensflow.hub.ProgressLines;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.OpsServer;
import io.lensflow.service.Readiness;
import io.lensflow.service.SettingsException;
import io.lensflow.text.Tokenizer;
import io.lensflow.worker.lag.DecoderWatch;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.EngineSource;
import io.lensflow.worker.scheduling.BatchLane;
import io.lensflow.worker.steering.SteeringTail;
import io.lensflow.worker.supervision.Guardian;
import io.lensflow.worker.supervision.Lifecycle;
import io.lensflow.worker.supervision.WorkerParts;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker in this process: one replica of a model that takes requests from Kafka and answers them
 * there. Thread-safe.
 *
 * <p>Threads: the actors' dispatchers, one pinned thread for the engine and its rank 0, one per
 * further rank, one per request slot of either lane (or one per lane for classic groups), one each
 * for the steering topics, for {@code request-control} and for histories, and those of the Kafka
 * producers and of HTTP.
 */
public final class WorkerService implements AutoCloseable {
  /** How the process ends after a failure that only a new process can mend. */
  public static final int FATAL_EXIT_CODE = 70;

  private static final Logger log = LoggerFactory.getLogger(WorkerService.class);
  private static final Duration STOP_SLACK = Duration.ofSeconds(10);

  private static final Readiness LOADING = Readiness.waitingFor("the checkpoint is being loaded");

  private static final Readiness RESTARTING = Readiness.waitingFor("the engine restarts");

  private final WorkerSettings settings;
  private final LoadReport loading = new LoadReport(log::info, System::nanoTime);
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final CompletableFuture<EngineInfo> ready = new CompletableFuture<>();
  private volatile Readiness readiness = LOADING;
  private ActorSystem<Guardian.Command> actors;
  private OpsServer ops;
  private volatile DecoderWatch decoder;
  private boolean closed;

  /**
   * Starts a worker and returns when it takes requests. After a failure that only a new process can
   * mend, the process is ended with {@link #FATAL_EXIT_CODE}.
   *
   * @throws WorkerStartException if it cannot start; the message says why and how to mend it
   * @throws SettingsException if the model cannot be split into so many ranks
   */
  public static WorkerService start(WorkerSettings settings, KafkaSettings kafka) {
    return start(settings, kafka, WorkerService::endProcess);
  }

  /** As {@link #start(WorkerSettings, KafkaSettings)}, with another end after a fatal failure. */
  public static WorkerService start(
      WorkerSettings settings, KafkaSettings kafka, Consumer<Throwable> fatal) {
    return start(settings, kafka, LoadProgress.NONE, fatal);
  }

  /**
   * As {@link #start(WorkerSettings, KafkaSettings)}, for who wants to see the checkpoint load.
   *
   * @param progress hears of every load, also those after a failure
   */
  public static WorkerService start(
      WorkerSettings settings, KafkaSettings kafka, LoadProgress progress) {
    return start(settings, kafka, progress, WorkerService::endProcess);
  }

  private static WorkerService start(
      WorkerSettings settings,
      KafkaSettings kafka,
      LoadProgress progress,
      Consumer<Throwable> fatal) {
    return open(
        settings,
        kafka,
        (model, report) ->
            () -> {
              LoadReport own = report.begin();
              return EngineLoader.load(
                  model,
                  settings.engine(),
                  (read, total) -> {
                    own.read(read, total);
                    progress.read(read, total);
                  });
            },
        fatal);
  }

  static WorkerService start(
      WorkerSettings settings,
      KafkaSettings kafka,
      EngineSource engine,
      Consumer<Throwable> fatal) {
    return open(settings, kafka, (model, report) -> engine, fatal);
  }

  /**
   * @param engines makes of the checkpoint's local folder what loads it and reports on that
   */
  private static WorkerService open(
      WorkerSettings settings,
      KafkaSettings kafka,
      BiFunction<Path, LoadReport, EngineSource> engines,
      Consumer<Throwable> fatal) {
    WorkerService service = new WorkerService(settings);
    try {
      service.run(new KafkaClients(kafka), engines, fatal);
      return service;
    } catch (RuntimeException e) {
      service.close();
      throw e;
    }
  }

  private WorkerService(WorkerSettings settings) {
    this.settings = settings;
  }

  private void run(
      KafkaClients clients,
      BiFunction<Path, LoadReport, EngineSource> engines,
      Consumer<Throwable> fatal) {
    PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    WorkerMetrics metrics = new WorkerMetrics(meters);
    ops = own(opsServer(meters));
    WorkerTopics.Found topics = WorkerTopics.prepare(clients, settings);
    BatchLane lane = topics.batch() ? settings.batch() : BatchLane.NONE;
    Path model = modelFolder();
    Tokenizer tokenizer = own(tokenizer(model));
    TopicCatalogue catalogue = clients.settings().catalogue();
    WorkerIdentity identity =
        new WorkerIdentity(
            settings.name(), Ids.newId(), Instant.now(), settings.servedName(), tokenizer.hash());
    WorkerClients workerClients = new WorkerClients(settings, clients);
    EventLog events = own(new EventLog(workerClients.events()));
    Producer<String, SpecificRecord> chunks = workerClients.chunks();
    AutoCloseable chunksEnd = () -> chunks.close(STOP_SLACK);
    own(chunksEnd);
    FirstRecords.prepare(clients, chunks);
    decoder = own(workerClients.decoderWatch(metrics));
    WorkerParts parts =
        new WorkerParts(
            settings,
            identity,
            catalogue,
            engines.apply(model, loading),
            tokenizer,
            lane,
            own(RequestSources.of(settings, lane, clients, metrics)),
            own(workerClients.history()),
            decoder,
            topics.activationBytes(),
            new WorkerParts.Decoders(
                clients.deserializer(PromptRequest.class),
                clients.deserializer(RequestControl.class),
                new SteeringTail.Decoders(
                    clients.deserializer(SteeringVector.class),
                    clients.deserializer(SteeringAlias.class),
                    clients.deserializer(SteeringPolicy.class))),
            workerClients::tail,
            chunks,
            events,
            metrics,
            InstantSource.system(),
            lifecycle(fatal));
    actors = ActorSystem.create(Guardian.create(parts), "lensflow-worker", akkaConfig());
    EngineInfo info = awaitReady();
    log.info(
        "worker={} serves model={} revision={} on {} ranks of {} from {} with {} slots and {} for the batch lane; http://{}:{}",
        settings.name(),
        settings.servedName(),
        info.revision(),
        info.ranks().size(),
        info.device(),
        parts.requestTopic(),
        settings.intake().slots(),
        lane.slots(),
        settings.http().host(),
        ops.port());
  }

  private static Config akkaConfig() {
    // Akka's own shutdown hook would stop the actors while requests are still being finished, and
    // its own exit after a fatal error would hide ours.
    return ConfigFactory.parseMap(
            Map.of(
                "akka.coordinated-shutdown.run-by-jvm-shutdown-hook", false,
                "akka.jvm-exit-on-fatal-error", false))
        .withFallback(ConfigFactory.load());
  }

  /** The checkpoint's local folder; a model on the hub is fetched, which may take its time. */
  private Path modelFolder() {
    readiness = Readiness.waitingFor("the model " + settings.model() + " is being fetched");
    try {
      return ModelHub.fromEnvironment()
          .resolve(settings.model(), ModelFiles.ALL, new ProgressLines(log::info));
    } catch (IOException e) {
      throw new WorkerStartException("lensflow.worker.model: " + e.getMessage(), e);
    } finally {
      readiness = LOADING;
    }
  }

  private static Tokenizer tokenizer(Path model) {
    try {
      return Tokenizer.load(model);
    } catch (IOException e) {
      throw new WorkerStartException("lensflow.worker.model: %s".formatted(e.getMessage()), e);
    }
  }

  private OpsServer opsServer(PrometheusMeterRegistry meters) {
    WorkerSettings.Http http = settings.http();
    try {
      return OpsServer.start(http.host(), http.port(), meters, this::readiness, routes -> {});
    } catch (IOException e) {
      throw new WorkerStartException("lensflow.worker.http.port: " + e.getMessage(), e);
    }
  }

  /** While a checkpoint is loaded, also how far that is. */
  private Readiness readiness() {
    Readiness now = readiness;
    String state = loading.state();
    if (now == Readiness.READY) {
      return Readiness.readyBut(decoder.reason());
    }
    return (now == LOADING || now == RESTARTING) && !state.isEmpty()
        ? Readiness.waitingFor(now.reason() + ": " + state)
        : now;
  }

  private Lifecycle lifecycle(Consumer<Throwable> fatal) {
    return new Lifecycle() {
      @Override
      public void ready(EngineInfo engine) {
        readiness = Readiness.READY;
        ready.complete(engine);
      }

      @Override
      public void neverLoaded(Throwable cause) {
        ready.completeExceptionally(cause);
      }

      @Override
      public void engine(boolean up) {
        loading.end();
        if (ready.isDone()) {
          readiness = up ? Readiness.READY : RESTARTING;
        }
      }

      @Override
      public void lost(Throwable cause) {
        readiness = Readiness.waitingFor("nothing: the worker has failed");
        if (!ready.completeExceptionally(cause)) {
          fatal.accept(cause);
        }
      }
    };
  }

  private EngineInfo awaitReady() {
    try {
      return ready.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IllegalArgumentException refused) {
        // The checkpoint is sound, but cannot be split as the settings say.
        String key = settings.engine().devices().isEmpty() ? "ranks" : "devices";
        throw new SettingsException(
            "lensflow.worker." + key + ": " + refused.getMessage(), refused);
      }
      throw new WorkerStartException(
          "lensflow.worker.model: %s cannot be served: %s"
              .formatted(settings.model(), e.getCause().getMessage()),
          e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerStartException("interrupted while the checkpoint was loaded", e);
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  /** The port of {@code /healthz}, {@code /readyz} and {@code /metrics}. */
  public int port() {
    return ops.port();
  }

  /** The settings that it runs with. */
  public WorkerSettings settings() {
    return settings;
  }

  /**
   * Stops in an orderly way: takes nothing more, lets requests that run come to their end for the
   * configured time, leaves the rest to other workers, says that it is gone.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    readiness = Readiness.waitingFor("nothing: the worker stops");
    if (actors != null) {
      stopActors();
    }
    while (!owned.isEmpty()) {
      AutoCloseable resource = owned.pop();
      try {
        resource.close();
      } catch (Exception e) {
        log.warn("{} did not close: {}", resource.getClass().getSimpleName(), e.toString());
      }
    }
  }

  private void stopActors() {
    CompletableFuture<Void> drained = new CompletableFuture<>();
    actors.tell(new Guardian.Stop(drained));
    Duration patience = settings.stopTimeout().plus(STOP_SLACK);
    try {
      if (!actors.getWhenTerminated().toCompletableFuture().isDone()) {
        drained.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      }
      actors.terminate();
      actors
          .getWhenTerminated()
          .toCompletableFuture()
          .get(STOP_SLACK.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the actors did not stop in time: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void endProcess(Throwable cause) {
    log.error("the worker is lost; the process ends with exit code {}", FATAL_EXIT_CODE, cause);
    // Not exit(): shutdown hooks could hang on a device that does not answer.
    Runtime.getRuntime().halt(FATAL_EXIT_CODE);
  }
}
