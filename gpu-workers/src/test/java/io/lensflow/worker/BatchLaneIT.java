package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A worker that serves both lanes. */
@ExtendWith(KafkaExtension.class)
class BatchLaneIT {
  private static final int TOKENS = 150;
  private static final int BACKLOG = 60;
  private static final int PROMPT = 190;

  @ParameterizedTest
  @ValueSource(strings = {"share-group", "classic-group"})
  void shouldServeBothLanesAndPutTheInteractiveOneFirst(String source, KafkaEnvironment environment)
      throws Exception {
    environment.createTopics();
    try (Admin admin = environment.admin()) {
      TopicProvisioner.create(admin, environment.catalogue().specs("scripted"));
    }
    ScriptedEngine.Script script = new ScriptedEngine.Script();
    try (Traffic traffic = new Traffic(environment);
        WorkerService worker =
            Workers.scripted(
                "both",
                script,
                traffic.kafka(),
                Map.of("slots", 1, "prefill-chunk", 16, "request-source", source))) {
      String batchTopic = traffic.topics.promptRequestsBatch("scripted");
      assertThat(traffic.awaitHeartbeat("both").getBatchRequestTopic()).isEqualTo(batchTopic);
      assertThat(traffic.awaitHeartbeat("both").getSlots()).isEqualTo(1);

      script.stepNanos = 4_000_000;
      List<String> backlog = sendBacklog(traffic, batchTopic);
      traffic.awaitEnd(backlog.get(0));
      int before = script.steps().size();
      CompletionEvent end = traffic.awaitEnd(traffic.send(bare("abc", TOKENS)));
      List<List<Integer>> steps = script.steps();
      boolean allDone =
          backlog.stream().noneMatch(id -> traffic.eventsOf(id, CompletionType.FINISHED).isEmpty());
      script.stepNanos = 0;

      assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      assertThat(allDone).isFalse();
      assertBatchStepsTakeATenth(
          steps.subList(before, steps.size()), script.starts().subList(before, steps.size()));
      backlog.forEach(
          id -> assertThat(traffic.awaitEnd(id).getType()).isEqualTo(CompletionType.FINISHED));
      assertRefusals(traffic, batchTopic);
      assertThat(Metrics.of(worker.port(), "lensflow_worker_batch_step_seconds_count"))
          .isPositive();
    }
  }

  /**
   * Behind the only interactive slot each of them would wait for all others. Even one is more than
   * the lane reads beside the interactive request: it has work all the time.
   */
  private static List<String> sendBacklog(Traffic traffic, String topic) {
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < BACKLOG; i++) {
      PromptRequest request = bare(Character.toString('!' + i).repeat(PROMPT), 0);
      traffic.publish(topic, request.getRequestId(), request);
      sent.add(request.getRequestId());
    }
    return sent;
  }

  /**
   * Prompts of the batch lane are read by several tokens a step, the other one generates by one. A
   * step lasts until the next one begins; the longest is what the account may be off by at a time.
   */
  private static void assertBatchStepsTakeATenth(List<List<Integer>> steps, List<Long> starts) {
    int first = steps.indexOf(List.of(3));
    assertThat(first).isNotNegative();
    double batch = 0;
    double interactive = 0;
    double longest = 0;
    for (int i = first + 1; i < first + TOKENS; i++) {
      assertThat(steps.get(i)).allMatch(tokens -> tokens <= 4);
      double nanos = starts.get(i + 1) - starts.get(i);
      longest = Math.max(longest, nanos);
      if (steps.get(i).get(0) > 1) {
        batch += nanos;
      } else {
        interactive += nanos;
      }
    }

    assertThat(batch).isCloseTo(interactive / 9, within(2 * longest));
  }

  /** What is wrong is refused as it is in the other lane. */
  private static void assertRefusals(Traffic traffic, String topic) {
    PromptRequest other = bare("a", 1);
    other.setModel("nobody-serves-this");
    traffic.publish(topic, other.getRequestId(), other);
    assertThat(traffic.awaitEnd(other.getRequestId()).getFailure().getCode())
        .isEqualTo("MODEL_NOT_SERVED");

    traffic.sendRaw(topic, "broken", "no record".getBytes(StandardCharsets.UTF_8));
    Await.until(
        Traffic.PATIENCE,
        () -> traffic.deadLetters.stream().anyMatch(seen -> seen.value().getTopic().equals(topic)));
  }

  private static PromptRequest bare(String text, int tokens) {
    return Traffic.request(text, tokens, r -> r.getCapture().setHookPoints(List.of()));
  }
}
