package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import io.lensflow.platform.registry.EmbeddedRegistry;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.testkit.KafkaEnvironment;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A broker whose locks are short, so that a request outlives several of them. */
class LockRenewalIT {
  @Test
  void shouldKeepARequestWhenItRunsLongerThanItsLock() throws Exception {
    Map<String, String> shortLocks =
        Map.of(
            "group.share.min.record.lock.duration.ms", "1000",
            "group.share.record.lock.duration.ms", "1500");
    try (EmbeddedBroker broker =
            EmbeddedBroker.start(BrokerOptions.temporary().withProperties(shortLocks));
        EmbeddedRegistry registry = EmbeddedRegistry.start(broker.bootstrapServers(), 0)) {
      KafkaEnvironment environment =
          new KafkaEnvironment(
              broker.bootstrapServers(),
              registry.uri(),
              new TopicCatalogue("locks.", 3, (short) 1));
      environment.createTopics();
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
  }
}
