package io.lensflow.ingest.health;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.Readiness;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Asks broker and registry again and again, so that {@code /readyz} answers at once. Ready: the
 * broker answers, our topics exist and have equally many partitions, the registry answers. One
 * thread, {@code ingest-readiness}; {@link #now} may be called by any.
 */
public final class KafkaReadiness implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofSeconds(3);
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final KafkaClients clients;
  private final Admin admin;
  private final Set<String> topics;
  private final ScheduledExecutorService executor;
  private volatile Readiness readiness = Readiness.waitingFor("the first look at the broker");

  /** Begins to ask. */
  public KafkaReadiness(KafkaClients clients) {
    this.clients = clients;
    this.admin = clients.admin();
    TopicCatalogue catalogue = clients.settings().catalogue();
    this.topics =
        Set.of(
            catalogue.promptRequests(),
            catalogue.requestControl(),
            catalogue.completions(),
            catalogue.lensResults());
    this.executor =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "ingest-readiness");
              thread.setDaemon(true);
              return thread;
            });
    executor.scheduleWithFixedDelay(
        () -> readiness = look(), 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The newest answer. */
  public Readiness now() {
    return readiness;
  }

  private Readiness look() {
    try {
      Map<String, Integer> partitions =
          admin
              .describeTopics(topics)
              .allTopicNames()
              .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
              .values()
              .stream()
              .collect(
                  Collectors.toMap(
                      TopicDescription::name,
                      t -> t.partitions().size(),
                      (a, b) -> a,
                      TreeMap::new));
      if (Set.copyOf(partitions.values()).size() > 1) {
        return Readiness.waitingFor(
            "topics keyed by request must have equally many partitions: " + partitions);
      }
      clients.registry().subjects();
      return Readiness.READY;
    } catch (TimeoutException e) {
      return Readiness.waitingFor(
          "the broker at %s, which does not answer"
              .formatted(clients.settings().bootstrapServers()));
    } catch (ExecutionException e) {
      return Readiness.waitingFor(
          e.getCause() instanceof UnknownTopicOrPartitionException
              ? "topics, which do not all exist: " + new java.util.TreeSet<>(topics)
              : "the broker: " + e.getCause().getMessage());
    } catch (KafkaException e) {
      return Readiness.waitingFor("the schema registry: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Readiness.waitingFor("nothing: it is stopping");
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
    admin.close(Duration.ofSeconds(1));
  }
}
