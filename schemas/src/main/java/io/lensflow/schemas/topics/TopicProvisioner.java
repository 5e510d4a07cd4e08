package io.lensflow.schemas.topics;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Brings the catalogue to a broker, and tells where a broker departs from it. Stateless; as
 * thread-safe as the {@link Admin} passed in.
 */
public final class TopicProvisioner {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final long READY_POLL_MILLIS = 20;

  private TopicProvisioner() {}

  /**
   * Creates the topics that are missing and returns when all of {@code specs} can be written to.
   * Topics that exist are left as they are. Several services may do this at the same time.
   *
   * @throws KafkaException if the broker refuses, or does not answer in 30 s
   */
  public static void create(Admin admin, Collection<TopicSpec> specs) {
    Set<String> existing = await(admin.listTopics().names(), "list topics");
    List<TopicSpec> missing =
        specs.stream().filter(spec -> !existing.contains(spec.name())).toList();
    admin
        .createTopics(missing.stream().map(TopicSpec::toNewTopic).toList())
        .values()
        .forEach(TopicProvisioner::awaitCreated);
    awaitLeaders(admin, missing);
  }

  /**
   * One sentence for each setting of the broker's topics that differs from {@code specs}, and for
   * each topic that is missing; empty if all is as it should be.
   *
   * @throws KafkaException if the broker refuses, or does not answer in 30 s
   */
  public static List<String> differences(Admin admin, Collection<TopicSpec> specs) {
    Map<String, TopicDescription> topics = describe(admin, specs);
    Map<String, Config> configs = configs(admin, topics.keySet());
    List<String> differences = new ArrayList<>();
    for (TopicSpec spec : specs) {
      TopicDescription topic = topics.get(spec.name());
      Config config = configs.get(spec.name());
      if (topic == null || config == null) {
        differences.add("Topic " + spec.name() + " does not exist.");
      } else {
        compareLayout(spec, topic, differences);
        compareConfigs(spec, config, differences);
      }
    }
    return differences;
  }

  private static void compareLayout(
      TopicSpec spec, TopicDescription topic, List<String> differences) {
    int partitions = topic.partitions().size();
    if (partitions != spec.partitions()) {
      differences.add(sentence(spec, "partitions", partitions, spec.partitions()));
    }
    int replicas = topic.partitions().get(0).replicas().size();
    if (spec.replicationFactor() > 0 && replicas != spec.replicationFactor()) {
      differences.add(sentence(spec, "replicationFactor", replicas, spec.replicationFactor()));
    }
  }

  private static void compareConfigs(TopicSpec spec, Config actual, List<String> differences) {
    new TreeMap<>(spec.configs())
        .forEach(
            (key, wanted) -> {
              ConfigEntry entry = actual.get(key);
              String value = entry == null ? null : entry.value();
              if (!wanted.equals(value)) {
                differences.add(sentence(spec, key, value, wanted));
              }
            });
  }

  private static String sentence(TopicSpec spec, String key, Object actual, Object wanted) {
    return "Topic %s has %s = %s where the catalogue says %s."
        .formatted(spec.name(), key, actual, wanted);
  }

  private static Map<String, TopicDescription> describe(Admin admin, Collection<TopicSpec> specs) {
    List<String> names = specs.stream().map(TopicSpec::name).toList();
    return present(admin.describeTopics(names).topicNameValues(), name -> name);
  }

  private static Map<String, Config> configs(Admin admin, Collection<String> names) {
    List<ConfigResource> resources =
        names.stream().map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList();
    return present(admin.describeConfigs(resources).values(), ConfigResource::name);
  }

  /**
   * Answers by topic name, without topics that do not exist; one may vanish between two questions.
   */
  private static <K, V> Map<String, V> present(
      Map<K, KafkaFuture<V>> answers, Function<K, String> topicOf) {
    Map<String, V> present = new HashMap<>();
    answers.forEach(
        (key, answer) -> {
          try {
            present.put(topicOf.apply(key), await(answer, "describe topic " + topicOf.apply(key)));
          } catch (UnknownTopicOrPartitionException absent) {
            // Its absence from the map says so.
          }
        });
    return present;
  }

  private static void awaitCreated(String name, KafkaFuture<Void> created) {
    try {
      await(created, "create topic " + name);
    } catch (TopicExistsException another) {
      // Another service was faster: all the better.
    }
  }

  /** A topic is known to the controller before every broker serves it; clients would see errors. */
  private static void awaitLeaders(Admin admin, List<TopicSpec> specs) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!haveLeaders(describe(admin, specs), specs)) {
      if (System.nanoTime() > deadline) {
        throw new KafkaException("Topics were created but have no leaders after " + TIMEOUT);
      }
      try {
        TimeUnit.MILLISECONDS.sleep(READY_POLL_MILLIS);
      } catch (InterruptedException e) {
        throw new org.apache.kafka.common.errors.InterruptException(e);
      }
    }
  }

  private static boolean haveLeaders(Map<String, TopicDescription> topics, List<TopicSpec> specs) {
    return topics.size() == specs.size()
        && topics.values().stream()
            .flatMap(topic -> topic.partitions().stream())
            .allMatch(partition -> partition.leader() != null && !partition.leader().isEmpty());
  }

  private static <T> T await(KafkaFuture<T> future, String what) {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KafkaException cause) {
        throw cause;
      }
      throw new KafkaException("Cannot " + what, e.getCause());
    } catch (TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(
          "The broker did not answer in " + TIMEOUT.toSeconds() + " s: cannot " + what, e);
    } catch (InterruptedException e) {
      throw new org.apache.kafka.common.errors.InterruptException(e);
    }
  }
}
