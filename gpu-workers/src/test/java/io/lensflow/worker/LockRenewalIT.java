package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A group whose locks are so short that a request outlives several of them. */
@ExtendWith(KafkaExtension.class)
class LockRenewalIT {
  private static final String LOCK_MILLIS = "1500";

  @Test
  void shouldKeepARequestWhenItRunsLongerThanItsLock(KafkaEnvironment environment)
      throws Exception {
    environment.createTopics();
    shortenLocks(environment);
    ScriptedEngine.Script script = new ScriptedEngine.Script();
    script.stepNanos = 50_000_000;
    try (Traffic traffic = new Traffic(environment);
        WorkerService first = Workers.scripted("one", script, traffic.kafka(), Map.of());
        WorkerService second = Workers.scripted("two", script, traffic.kafka(), Map.of())) {
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
