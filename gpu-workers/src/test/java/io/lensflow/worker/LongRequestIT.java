package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A group whose patience is so short that a request outlives it several times. */
@ExtendWith(KafkaExtension.class)
class LongRequestIT {
  private static final String LOCK_MILLIS = "1500";

  @ParameterizedTest
  @ValueSource(strings = {"share-group", "classic-group"})
  void shouldKeepARequestWhenItRunsLongerThanItsGroupIsPatient(
      String source, KafkaEnvironment environment) throws Exception {
    environment.createTopics();
    shortenLocks(environment);
    ScriptedEngine.Script script = new ScriptedEngine.Script();
    script.stepNanos = 50_000_000;
    try (Traffic traffic = new Traffic(environment);
        WorkerService first = worker("one", source, script, traffic);
        WorkerService second = worker("two", source, script, traffic)) {
      if (source.equals("classic-group")) {
        awaitMembers(environment, 2);
      }
      String id = traffic.send(Traffic.request("long", 100));

      CompletionEvent end = traffic.awaitEnd(id);

      assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      assertThat(end.getFinished().getTimings().getTotalMicros()).isGreaterThan(4_500_000);
      assertThat(traffic.eventsOf(id, CompletionType.ACCEPTED)).hasSize(1);
      // The lane goes on behind it, on either worker.
      script.stepNanos = 0;
      for (int i = 0; i < 4; i++) {
        traffic.awaitEnd(traffic.send(Traffic.request("after", 2)));
      }
      assertThat(first.port()).isNotEqualTo(second.port());
    }
  }

  /** A worker whose consumers must not go without a poll for longer than a lock lasts. */
  private static WorkerService worker(
      String name, String source, ScriptedEngine.Script script, Traffic traffic) {
    KafkaSettings kafka = traffic.kafka();
    return Workers.scripted(
        name,
        script,
        new KafkaSettings(
            kafka.bootstrapServers(),
            kafka.schemaRegistry(),
            kafka.topicPrefix(),
            kafka.requestPartitions(),
            kafka.replicationFactor(),
            Map.of("max.poll.interval.ms", LOCK_MILLIS)),
        Map.of("request-source", source));
  }

  /** Waits until nobody is about to join: then, too, a partition would change hands. */
  private static void awaitMembers(KafkaEnvironment environment, int members) {
    String group = environment.catalogue().prefix() + "workers.scripted.classic";
    try (Admin admin = environment.admin()) {
      Await.until(
          "a stable group",
          Traffic.PATIENCE,
          () -> {
            ConsumerGroupDescription found = describe(admin, group);
            return found.groupState() == GroupState.STABLE
                && found.members().size() == members
                && found.members().stream()
                    .noneMatch(member -> member.assignment().topicPartitions().isEmpty());
          });
    }
  }

  private static ConsumerGroupDescription describe(Admin admin, String group) {
    try {
      return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void shortenLocks(KafkaEnvironment environment)
      throws InterruptedException, ExecutionException {
    String group = environment.catalogue().prefix() + "workers.scripted";
    ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
    AlterConfigOp shorten =
        new AlterConfigOp(
            new ConfigEntry("share.record.lock.duration.ms", LOCK_MILLIS),
            AlterConfigOp.OpType.SET);
    try (Admin admin = environment.admin()) {
      admin.incrementalAlterConfigs(Map.of(resource, List.of(shorten))).all().get();
    }
  }
}
