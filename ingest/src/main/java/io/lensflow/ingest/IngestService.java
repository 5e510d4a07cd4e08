package io.lensflow.ingest;

import io.lensflow.client.ClientOptions;
import io.lensflow.client.ModelDirectory;
import io.lensflow.ingest.health.KafkaReadiness;
import io.lensflow.ingest.http.Api;
import io.lensflow.ingest.http.EventRoutes;
import io.lensflow.ingest.http.ModelRoutes;
import io.lensflow.ingest.http.OpenApiRoutes;
import io.lensflow.ingest.http.RequestRoutes;
import io.lensflow.ingest.state.RequestStates;
import io.lensflow.ingest.stream.EventStreams;
import io.lensflow.ingest.stream.ReaderPool;
import io.lensflow.ingest.stream.SharedTail;
import io.lensflow.ingest.stream.StreamSources;
import io.lensflow.ingest.submit.RecordSender;
import io.lensflow.ingest.submit.RequestSubmitter;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.OpsServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running gateway. It starts also while the broker is away, and is not ready then. Several may
 * run over one broker, also in one process: they share nothing.
 *
 * <p>Threads: the HTTP server's; {@code ingest-stream-N}, one an event stream; {@code ingest-tail};
 * {@code ingest-readiness}; {@code lensflow-model-directory}; the producer's own. Thread-safe.
 */
public final class IngestService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(IngestService.class);

  /** What to close, the last opened first. */
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();

  private OpsServer server;

  private IngestService() {}

  /**
   * Starts a gateway.
   *
   * @throws IOException if its port cannot be bound; the message names it
   */
  public static IngestService start(IngestSettings settings, KafkaSettings kafka)
      throws IOException {
    IngestService service = new IngestService();
    try {
      service.open(settings, kafka);
      return service;
    } catch (IOException | RuntimeException e) {
      service.close();
      throw e;
    }
  }

  private void open(IngestSettings settings, KafkaSettings kafka) throws IOException {
    Clock clock = Clock.systemUTC();
    StreamSettings streaming = settings.streams();
    KafkaClients clients = new KafkaClients(kafka);
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    ModelDirectory models =
        owned(
            ModelDirectory.open(
                ClientOptions.of(
                        kafka.bootstrapServers(), kafka.schemaRegistry(), kafka.catalogue())
                    .withKafkaProperties(kafka.properties())
                    .withConnectTimeout(settings.brokerTimeout())));
    RecordSender sender = owned(new RecordSender(clients, settings.brokerTimeout()));
    ReaderPool readers =
        owned(
            new ReaderPool(
                clients, streaming.readers(), streaming.readerWait(), settings.brokerTimeout()));
    SharedTail tail = owned(SharedTail.start(clients, metrics));
    StreamSources sources = new StreamSources(clients, readers, tail, streaming.clockSkew());
    EventStreams streams = new EventStreams(sources, streaming, clock, metrics);
    KafkaReadiness readiness = owned(new KafkaReadiness(clients));
    Api api =
        new Api(
            new RequestRoutes(
                new RequestSubmitter(settings, kafka.catalogue(), models, sender, clock),
                new RequestStates(sources, readers, kafka.catalogue(), models),
                settings.maxRequestBytes(),
                metrics),
            new EventRoutes(streams),
            new ModelRoutes(models),
            new OpenApiRoutes(),
            settings.allowedOrigins());
    server =
        owned(
            OpsServer.start(
                settings.host(), settings.port(), metrics, readiness::now, api::register));
    owned(streams); // ended before the server, so that clients are told where to go on
    log.info("ingest listens on http://{}:{}", settings.host(), port());
  }

  /** The port that it listens on. */
  public int port() {
    return server.port();
  }

  private <T extends AutoCloseable> T owned(T resource) {
    resources.push(resource);
    return resource;
  }

  @Override
  public void close() {
    while (!resources.isEmpty()) {
      AutoCloseable resource = resources.pop();
      try {
        resource.close();
      } catch (Exception e) {
        log.warn("closing {} failed", resource.getClass().getSimpleName(), e);
      }
    }
  }
}
