package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.decoder.delivery.DecodeLoop;
import io.lensflow.decoder.delivery.KafkaEnds;
import io.lensflow.hub.ModelFiles;
import io.lensflow.hub.ModelHub;
import io.lensflow.hub.ProgressLines;
import io.lensflow.records.ActivationChunk;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSpec;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import io.lensflow.service.OpsServer;
import io.lensflow.service.Readiness;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running lens decoder: head, loop and operator's port. Start as many instances as there are
 * partitions; they share them as a consumer group, one group per model. Thread-safe.
 */
public final class DecoderService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DecoderService.class);

  private final DecoderParts parts;
  private final DecodeLoop loop;
  private final Thread thread;
  private final OpsServer ops;

  private DecoderService(DecoderParts parts, DecodeLoop loop, Thread thread, OpsServer ops) {
    this.parts = parts;
    this.loop = loop;
    this.thread = thread;
    this.ops = ops;
  }

  /**
   * Loads the checkpoint's head and tokenizer, checks the topics, and starts.
   *
   * @throws IOException if the checkpoint cannot be read, Kafka not be reached, a topic is missing
   *     or the port is taken; the message says which
   */
  public static DecoderService start(DecoderSettings settings, KafkaSettings kafka)
      throws IOException, InterruptedException {
    return start(
        settings, kafka, checkpoint -> () -> LensHeadDecoder.load(checkpoint, settings.threads()));
  }

  static DecoderService start(
      DecoderSettings settings,
      KafkaSettings kafka,
      Function<Path, Callable<? extends RowDecoder>> heads)
      throws IOException, InterruptedException {
    KafkaClients clients = new KafkaClients(kafka);
    checkTopics(clients, kafka);
    Path checkpoint =
        ModelHub.fromEnvironment()
            .resolve(settings.checkpoint(), ModelFiles.ALL, new ProgressLines(log::info));
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    DecoderMetrics metrics = new DecoderMetrics(registry);
    DecoderParts parts =
        DecoderParts.open(settings, clients, metrics, checkpoint, heads.apply(checkpoint));
    try {
      return run(settings, clients, parts, metrics, registry);
    } catch (IOException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  private static DecoderService run(
      DecoderSettings settings,
      KafkaClients clients,
      DecoderParts parts,
      DecoderMetrics metrics,
      PrometheusMeterRegistry registry)
      throws IOException {
    DecoderClients decoderClients = new DecoderClients(settings, clients);
    DecodeLoop loop =
        new DecodeLoop(
            settings,
            clients.settings().catalogue(),
            parts.planner(),
            parts.kernel(),
            parts.texts(),
            new KafkaEnds(
                decoderClients.consumer(),
                clients.deserializer(ActivationChunk.class),
                decoderClients::producer,
                decoderClients.losses()),
            metrics,
            System::nanoTime);
    OpsServer ops;
    try {
      ops =
          OpsServer.start(
              settings.host(), settings.port(), registry, () -> readiness(loop), routes -> {});
    } catch (IOException | RuntimeException e) {
      loop.close();
      throw e;
    }
    Thread thread = new Thread(loop, "lens-decoder-loop");
    thread.start();
    log.info(
        "decoding '{}' revision {} from {}; operator's port {}",
        settings.model(),
        parts.checkpoint().revision(),
        settings.checkpoint(),
        ops.port());
    return new DecoderService(parts, loop, thread, ops);
  }

  /** The operator's port. */
  public int port() {
    return ops.port();
  }

  /** Whether it takes part in its group. */
  public Readiness readiness() {
    return readiness(loop);
  }

  /**
   * Waits until the decoder has ended, by {@link #close} or by itself.
   *
   * @return why it ended by itself; null if it was closed
   */
  public Throwable awaitEnd() throws InterruptedException {
    thread.join();
    return loop.failure();
  }

  /** Commits what is finished, leaves the group and frees all memory. Closing twice is harmless. */
  @Override
  public void close() {
    loop.stop();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    ops.close();
    parts.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static Readiness readiness(DecodeLoop loop) {
    if (loop.failure() != null) {
      return Readiness.waitingFor("a restart: the loop stopped with " + loop.failure());
    }
    return loop.standing().joined()
        ? Readiness.READY
        : Readiness.waitingFor("its consumer group to take it in");
  }

  /** Refuses to start where a topic is missing; says what else differs from the catalogue. */
  private static void checkTopics(KafkaClients clients, KafkaSettings kafka) throws IOException {
    TopicCatalogue topics = kafka.catalogue();
    Set<String> used =
        Set.of(
            topics.activations(),
            topics.lensResults(),
            topics.deadLetters(),
            topics.steeringVectors());
    List<TopicSpec> specs =
        topics.specs().stream().filter(spec -> used.contains(spec.name())).toList();
    List<String> differences;
    try (Admin admin = clients.admin()) {
      differences = TopicProvisioner.differences(admin, specs);
    } catch (KafkaException e) {
      throw new IOException(
          "lensflow.kafka.bootstrap-servers: Kafka at %s cannot be asked for its topics: %s"
              .formatted(kafka.bootstrapServers(), e.getMessage()),
          e);
    }
    for (String difference : differences) {
      if (difference.endsWith("does not exist.")) {
        throw new IOException(difference + " Create the catalogue's topics first.");
      }
      log.warn("{}", difference);
    }
  }
}
