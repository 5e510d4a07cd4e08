package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that kills every process which runs it, among others that do no harm. */
@ExtendWith(KafkaExtension.class)
class PoisonIT {
  private static final int ATTEMPTS = 2;

  @ParameterizedTest
  @ValueSource(strings = {"share-group", "classic-group"})
  void shouldGiveUpWhatKillsItsWorkerAndFinishTheRest(String source, KafkaEnvironment environment) {
    environment.createTopics();
    try (Traffic traffic = new Traffic(environment);
        ScriptedWorkerProcess worker =
            new ScriptedWorkerProcess(
                "mortal-" + source,
                traffic.kafka(),
                traffic.topics,
                Map.of("request-source", source, "max-attempts", ATTEMPTS))) {
      Await.until(
          "the worker",
          Duration.ofSeconds(60),
          () -> traffic.heartbeat("mortal-" + source).isPresent());
      List<String> innocent = new ArrayList<>();
      innocent.add(traffic.send(Traffic.request("abc", 150)));
      traffic.await(innocent.get(0), e -> e.getType() == CompletionType.TOKENS);
      String poison = traffic.send(Traffic.request("UVW", 20));
      innocent.add(traffic.send(Traffic.request("abd", 20)));
      innocent.add(traffic.send(Traffic.request("abe", 20)));

      CompletionEvent end = traffic.awaitEnd(poison);
      assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
      assertThat(end.getFailure().getCode()).isEqualTo("ATTEMPTS_EXHAUSTED");
      for (String id : innocent) {
        assertThat(traffic.awaitEnd(id).getType()).isEqualTo(CompletionType.FINISHED);
      }
      assertThat(worker.deaths()).isEqualTo(ATTEMPTS);
      List<CompletionEvent> begun = traffic.eventsOf(poison, CompletionType.ACCEPTED);
      assertThat(begun).hasSize(ATTEMPTS);
      DeadLetter letter = traffic.awaitDeadLetter(poison);
      assertThat(letter.getAttempts()).isEqualTo(ATTEMPTS);
      assertThat(letter.getRequestId()).isEqualTo(poison);
      assertThat(letter.getFailure().getMessage())
          .contains("given up after 2 attempts", "never ended, so its process died")
          .contains(begun.stream().map(CompletionEvent::getAttemptId).toList());
    }
  }
}
