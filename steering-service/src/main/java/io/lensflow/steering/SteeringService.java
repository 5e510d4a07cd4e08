package io.lensflow.steering;

import io.lensflow.client.ClientOptions;
import io.lensflow.client.ModelDirectory;
import io.lensflow.hub.ModelHub;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.OpsServer;
import io.lensflow.service.Readiness;
import io.lensflow.steering.build.BuildKind;
import io.lensflow.steering.evaluate.EvaluateKind;
import io.lensflow.steering.evaluate.VectorDesk;
import io.lensflow.steering.http.SteeringRoutes;
import io.lensflow.steering.http.WriterGate;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.job.JobChanges;
import io.lensflow.steering.job.JobDesk;
import io.lensflow.steering.job.JobKind;
import io.lensflow.steering.job.JobRunner;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.policy.PolicyBook;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.tokenizer.ModelTokenizers;
import io.lensflow.steering.topics.AuditReader;
import io.lensflow.steering.topics.CommittedEnds;
import io.lensflow.steering.topics.SiteReader;
import io.lensflow.steering.topics.SteeringTopics;
import io.lensflow.steering.topics.TopicTail;
import io.lensflow.steering.vector.ChangePlanner;
import io.lensflow.steering.vector.DraftCheck;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.writer.Writer;
import io.lensflow.steering.writer.WriterElection;
import io.lensflow.steering.writer.WriterTimes;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of the steering service. It has read the steering topics to their end before it
 * answers, and serves reads from what it has read; writes go to the one instance that is the
 * writer. All state is on the topics: an instance can be killed and started elsewhere.
 *
 * <p>Threads: {@code steering-tail} reads the topics, {@code steering-writer} is the group member
 * and carries out commands, {@code steering-jobs} and {@code steering-job-N} run jobs, the HTTP
 * server's threads answer; all of these write under the writer's lock.
 */
public final class SteeringService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SteeringService.class);

  /** What to close, the last opened first. */
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();

  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Writer writer;
  private final OpsServer server;
  private final URI advertised;

  private SteeringService(SteeringSettings settings, KafkaSettings kafka)
      throws IOException, TimeoutException {
    try {
      KafkaClients clients = new KafkaClients(kafka);
      TopicCatalogue topics = kafka.catalogue();
      Clock clock = Clock.systemUTC();
      Admin admin = open(clients.admin());
      provision(admin, topics, kafka.bootstrapServers());

      VectorBook book = new VectorBook();
      PolicyBook policies = new PolicyBook();
      JobBook jobs = new JobBook();
      ModelDirectory directory = open(ModelDirectory.open(clientOptions(kafka)));
      LiveWorkers workers = new LiveWorkers(directory::liveWorkers);
      TopicTail tail =
          open(tail(clients, topics, new SteeringTopics(clients, book, policies, jobs)));
      CommittedEnds ends = new CommittedEnds(admin);
      tail.await(ends.of(tail.topics(), settings.startTimeout()), settings.startTimeout());
      directory.awaitReady(settings.startTimeout());

      VectorChanges changes =
          new VectorChanges(
              book,
              new ChangePlanner(topics, clock),
              new DraftCheck(settings.maxSites()),
              workers::shapesOf,
              policies::references);
      PolicyChanges policyChanges =
          new PolicyChanges(policies, book, workers::shapesOf, topics, clock);
      WriterTimes times =
          new WriterTimes(
              settings.sessionTimeout(), settings.transactionTimeout(), settings.startTimeout());
      writer = new Writer(clients, times, ends, tail, changes, policyChanges, metrics, clock);
      WriterElection election = new WriterElection(clients, writer, times);

      SiteReader sites = new SiteReader(clients, topics.steeringVectors());
      Pipeline pipeline = open(new Pipeline(clients, directory, settings.pipeline(), clock));
      ModelTokenizers tokenizers =
          open(new ModelTokenizers(ModelHub.fromEnvironment(), settings.tokenizers()));
      List<JobKind> kinds =
          List.of(
              new BuildKind(pipeline, tokenizers, changes, settings.build()),
              new EvaluateKind(
                  pipeline,
                  tokenizers,
                  new VectorDesk(book, changes, writer, workers),
                  sites,
                  jobs,
                  settings.evaluate(),
                  clock));
      JobChanges jobChanges = new JobChanges(jobs, settings.jobs(), topics, clock);
      JobRunner runner =
          open(
              new JobRunner(
                  jobs, jobChanges, writer, kinds, pipeline::awaitModel, settings.jobs()));
      JobDesk desk = new JobDesk(jobs, jobChanges, runner, writer, kinds, settings.jobs());

      SteeringRoutes routes =
          new SteeringRoutes(
              new SteeringRoutes.Parts(
                  book,
                  changes,
                  policies,
                  policyChanges,
                  workers,
                  sites,
                  writer,
                  desk,
                  new AuditReader(clients, topics.audit()),
                  settings.maxBodyBytes(),
                  settings.maxWaitingCallers(),
                  settings.tokens()));
      WriterGate gate = new WriterGate(writer, election.address(admin), this::advertisedUrl);
      metrics.gauge("lensflow.steering.versions", book, VectorBook::versionCount);
      server =
          open(
              OpsServer.start(
                  settings.host(),
                  settings.port(),
                  metrics,
                  () -> readiness(tail),
                  config -> routes.register(config, gate)));
      advertised = advertised(settings, server.port());
      open(election).start(advertised);
      runner.start();
      log.info("steering service listens on port {}, advertised as {}", port(), advertised);
    } catch (IOException | TimeoutException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Starts an instance and returns when it can answer; whether it becomes the writer is decided
   * after that.
   *
   * @throws IOException if the port cannot be bound; the message names it
   * @throws KafkaException if the broker or the registry cannot be reached
   * @throws io.lensflow.client.ClientException if the heartbeats cannot be read in time
   * @throws TimeoutException if the topics cannot be read to their end in time
   */
  public static SteeringService start(SteeringSettings settings, KafkaSettings kafka)
      throws IOException, TimeoutException {
    return new SteeringService(settings, kafka);
  }

  /** The port that it listens on. */
  public int port() {
    return server.port();
  }

  /** URL at which clients reach this instance. */
  public URI advertisedUrl() {
    return advertised;
  }

  /** Whether this instance is the writer, as far as it knows. */
  public boolean isWriter() {
    return writer.isOpen();
  }

  private static void provision(Admin admin, TopicCatalogue topics, String bootstrapServers) {
    try {
      TopicProvisioner.create(admin, topics.specs());
      TopicProvisioner.differences(admin, topics.specs()).forEach(log::warn);
    } catch (KafkaException e) {
      throw new KafkaException(
          "the topics cannot be looked at on the broker at %s (lensflow.kafka.bootstrap-servers): %s"
              .formatted(bootstrapServers, e.getMessage()),
          e);
    }
  }

  private static TopicTail tail(
      KafkaClients clients, TopicCatalogue topics, SteeringTopics steering) {
    Map<String, Object> needs = new HashMap<>();
    needs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    needs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    return new TopicTail(
        () -> clients.bytesConsumer(needs),
        Map.of(
            topics.steeringVectors(), steering::takeVector,
            topics.steeringAliases(), steering::takeAlias,
            topics.steeringPolicies(), steering::takePolicy,
            topics.steeringJobs(), steering::takeJob));
  }

  private static ClientOptions clientOptions(KafkaSettings kafka) {
    return ClientOptions.of(kafka.bootstrapServers(), kafka.schemaRegistry(), kafka.catalogue())
        .withKafkaProperties(kafka.properties());
  }

  private static Readiness readiness(TopicTail tail) {
    String failure = tail.failure();
    return failure == null
        ? Readiness.READY
        : Readiness.waitingFor("reading the steering topics ended: " + failure);
  }

  private static URI advertised(SteeringSettings settings, int port) throws IOException {
    if (settings.advertisedUrl().isPresent()) {
      return settings.advertisedUrl().get();
    }
    InetAddress bound = InetAddress.getByName(settings.host());
    InetAddress reachable = bound.isAnyLocalAddress() ? InetAddress.getLocalHost() : bound;
    String host = reachable.getHostAddress();
    return URI.create("http://%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, port));
  }

  private <T extends AutoCloseable> T open(T resource) {
    resources.push(resource);
    return resource;
  }

  /** Hands the writing over, if it has it, and stops. */
  @Override
  public void close() {
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (Exception e) {
        log.warn("closing the steering service", e);
      }
    }
  }
}
