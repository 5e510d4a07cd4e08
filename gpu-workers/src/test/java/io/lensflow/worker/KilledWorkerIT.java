package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two worker processes, of which one is killed in the middle of a request. */
@ExtendWith(KafkaExtension.class)
class KilledWorkerIT {
  private static final int NEW_TOKENS = 190;

  private final Map<String, Process> processes = new HashMap<>();
  private final Path checkpoint = SharedData.folder("fixtures/tiny-llama31");

  @AfterEach
  void killAll() {
    processes.values().forEach(Process::destroyForcibly);
  }

  private void startWorker(String name, String source, Traffic traffic) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(List.of("-Xmx256m", "-cp", System.getProperty("java.class.path")));
    Map<String, Object> settings = new HashMap<>();
    settings.put("lensflow.worker.name", name);
    settings.put("lensflow.worker.model", checkpoint);
    settings.put("lensflow.worker.slots", 2);
    settings.put("lensflow.worker.threads", 1);
    settings.put("lensflow.worker.dtype", "float32");
    settings.put("lensflow.worker.request-source", source);
    settings.put("lensflow.worker.http.port", 0);
    settings.put("lensflow.kafka.bootstrap-servers", traffic.kafka().bootstrapServers());
    settings.put("lensflow.kafka.schema-registry", traffic.kafka().schemaRegistry());
    settings.put("lensflow.kafka.topic-prefix", traffic.topics.prefix());
    settings.put("lensflow.kafka.request-partitions", traffic.topics.requestPartitions());
    settings.forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.add(WorkerMain.class.getName());
    processes.put(
        name,
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  @ParameterizedTest
  @ValueSource(strings = {"share-group", "classic-group"})
  void shouldCompleteOnAnotherWhenAWorkerIsKilled(String source, KafkaEnvironment environment)
      throws IOException {
    environment.createTopics();
    try (Traffic traffic = new Traffic(environment)) {
      String first = "first-" + source;
      String second = "second-" + source;
      startWorker(first, source, traffic);
      startWorker(second, source, traffic);
      awaitAlive(traffic, first);
      awaitAlive(traffic, second);
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        ids.add(
            traffic.send(
                Traffic.request("Kafka keeps " + i, NEW_TOKENS, r -> r.setIgnoreEos(true))));
      }
      CompletionEvent running =
          traffic.await(ids.get(0), e -> e.getType() == CompletionType.TOKENS);

      Instant killed = Instant.now();
      processes.get(running.getWorker()).destroyForcibly();

      for (String id : ids) {
        CompletionEvent end = traffic.awaitEnd(id);
        assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
        assertThat(end.getFinished().getGeneratedTokens()).isEqualTo(NEW_TOKENS);
      }
      CompletionEvent end = traffic.awaitEnd(ids.get(0));
      assertThat(end.getWorker()).isNotEqualTo(running.getWorker());
      assertThat(end.getAttemptId()).isNotEqualTo(running.getAttemptId());
      assertThat(end.getAttempt()).isEqualTo(2);
      assertThat(Duration.between(killed, Instant.now())).isLessThan(Duration.ofSeconds(30));
      Await.until(
          Traffic.PATIENCE,
          () ->
              traffic.chunksOf(ids.get(0)).stream()
                      .filter(c -> c.value().getAttemptId().equals(end.getAttemptId()))
                      .count()
                  == end.getFinished().getChunks());
    }
  }

  @Test
  void shouldFinishWhatRunsWhenAWorkerIsTerminated(KafkaEnvironment environment)
      throws IOException, InterruptedException {
    environment.createTopics();
    try (Traffic traffic = new Traffic(environment)) {
      startWorker("terminated", "share-group", traffic);
      awaitAlive(traffic, "terminated");
      String id =
          traffic.send(Traffic.request("Kafka keeps", NEW_TOKENS, r -> r.setIgnoreEos(true)));
      traffic.await(id, e -> e.getType() == CompletionType.TOKENS);

      processes.get("terminated").destroy();

      CompletionEvent end = traffic.awaitEnd(id);
      assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      assertThat(end.getAttempt()).isEqualTo(1);
      assertThat(processes.get("terminated").waitFor(20, TimeUnit.SECONDS)).isTrue();
      Await.until(
          "the tombstone",
          Traffic.PATIENCE,
          () -> traffic.heartbeats.stream().anyMatch(seen -> seen.value() == null));
    }
  }

  private static void awaitAlive(Traffic traffic, String worker) {
    Await.until(
        worker + " is alive",
        Duration.ofSeconds(60),
        () -> traffic.heartbeat(worker).map(WorkerHeartbeat::getFree).orElse(0) > 0);
  }
}
