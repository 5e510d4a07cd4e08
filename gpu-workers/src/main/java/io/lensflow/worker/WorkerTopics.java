package io.lensflow.worker;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSpec;
import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks, at start, that the topics are there and as the catalogue wants them. */
final class WorkerTopics {
  private static final Logger log = LoggerFactory.getLogger(WorkerTopics.class);
  private static final long TIMEOUT_SECONDS = 10;

  private WorkerTopics() {}

  /**
   * What the broker has.
   *
   * @param activationBytes bytes that a partition of {@code activations} keeps
   * @param batch whether there is a topic for the batch lane
   */
  record Found(long activationBytes, boolean batch) {}

  /**
   * Creates what is missing if the settings say so; logs what differs. The batch lane's topic may
   * be missing: then it is said that there will be no batch lane.
   *
   * @throws WorkerStartException if the broker cannot be reached, topics are missing, or request
   *     topics have another number of partitions than configured
   */
  static Found prepare(KafkaClients clients, WorkerSettings settings) {
    String servers = clients.settings().bootstrapServers();
    TopicCatalogue catalogue = clients.settings().catalogue();
    List<TopicSpec> needed = needed(catalogue, settings);
    Admin admin = clients.admin();
    try {
      Set<String> existing = existing(admin, servers);
      Set<String> missing = new TreeSet<>();
      needed.forEach(spec -> missing.add(spec.name()));
      missing.removeAll(existing);
      String batchTopic = catalogue.promptRequestsBatch(settings.servedName());
      boolean batch = settings.batch().isServed();
      if (batch && missing.contains(batchTopic) && !settings.createTopics()) {
        log.warn(
            "there is no topic {}: the batch lane is not served until it is created (lensflow topics create --model {}) and this worker starts again; lensflow.worker.batch.slots = 0 does without",
            batchTopic,
            settings.servedName());
        batch = false;
        missing.remove(batchTopic);
        needed.removeIf(spec -> spec.name().equals(batchTopic));
      }
      if (!missing.isEmpty() && !settings.createTopics()) {
        throw new WorkerStartException(
            "topics are missing: %s; create them, or set lensflow.worker.create-topics = true"
                .formatted(missing));
      }
      TopicProvisioner.create(admin, needed);
      requirePartitions(admin, catalogue);
      Config activations = activations(admin, catalogue);
      requireRoomForChunks(activations, settings);
      TopicProvisioner.differences(admin, needed).forEach(one -> log.warn("{}", one));
      long bytes = Long.parseLong(activations.get(TopicConfig.RETENTION_BYTES_CONFIG).value());
      return new Found(bytes < 0 ? Long.MAX_VALUE : bytes, batch);
    } catch (KafkaException e) {
      throw new WorkerStartException(
          "Kafka at %s (lensflow.kafka.bootstrap-servers): %s".formatted(servers, e.getMessage()),
          e);
    } finally {
      // Without a limit it would wait for calls that a broker out of reach never answers.
      admin.close(Duration.ofSeconds(1));
    }
  }

  private static List<TopicSpec> needed(TopicCatalogue catalogue, WorkerSettings settings) {
    Set<String> names =
        new HashSet<>(
            Set.of(
                settings.requests().topic(catalogue, settings.servedName()),
                catalogue.requestControl(),
                catalogue.completions(),
                catalogue.activations(),
                catalogue.steeringVectors(),
                catalogue.steeringAliases(),
                catalogue.steeringPolicies(),
                catalogue.workers(),
                catalogue.deadLetters()));
    if (settings.batch().isServed()) {
      names.add(catalogue.promptRequestsBatch(settings.servedName()));
    }
    List<TopicSpec> specs = new ArrayList<>(catalogue.specs());
    specs.addAll(catalogue.specs(settings.servedName()));
    specs.removeIf(spec -> !names.contains(spec.name()));
    return specs;
  }

  private static Set<String> existing(Admin admin, String servers) {
    try {
      return admin.listTopics().names().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new WorkerStartException(
          "Kafka cannot be reached at %s; check lensflow.kafka.bootstrap-servers and that the broker runs"
              .formatted(servers),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerStartException("interrupted while topics were checked", e);
    }
  }

  /** A chunk over the topic's limit would fail every attempt at its request. */
  private static void requireRoomForChunks(Config activations, WorkerSettings settings) {
    int most = Integer.parseInt(activations.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value());
    int record = settings.publisher().chunks().maxRecordBytes();
    if (record > most) {
      throw new WorkerStartException(
          "lensflow.worker.publisher.max-record-bytes is %d, but the topic of activations takes %d (max.message.bytes): lower the one or raise the other"
              .formatted(record, most));
    }
  }

  private static Config activations(Admin admin, TopicCatalogue catalogue) {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, catalogue.activations());
    return await(admin.describeConfigs(List.of(topic)).all(), "topic settings").get(topic);
  }

  private static <T> T await(KafkaFuture<T> future, String what) {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new WorkerStartException("%s cannot be read from the broker".formatted(what), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerStartException("interrupted while topics were checked", e);
    }
  }

  /** Histories are looked up by partition number: here a difference is no matter of taste. */
  private static void requirePartitions(Admin admin, TopicCatalogue catalogue) {
    String topic = catalogue.completions();
    TopicDescription description =
        await(admin.describeTopics(List.of(topic)).allTopicNames(), "topics").get(topic);
    int partitions = description.partitions().size();
    if (partitions != catalogue.requestPartitions()) {
      throw new WorkerStartException(
          "topic %s has %d partitions and lensflow.kafka.request-partitions is %d: set it to %d"
              .formatted(topic, partitions, catalogue.requestPartitions(), partitions));
    }
  }
}
