package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.FinishReason;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.PromptRequest;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a worker owes its requests, from whichever source it takes them. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RequestSourceContract {
  private static final String SOURCE = "request-source";
  private static final int SLOTS = 6;
  private static final String LONG_PROMPT = "a long prompt, read in chunks of sixteen";

  private final String setting;
  private final ScriptedEngine.Script script = new ScriptedEngine.Script();
  private KafkaEnvironment environment;
  private Traffic traffic;
  private WorkerService worker;

  RequestSourceContract(String setting) {
    this.setting = setting;
  }

  @BeforeAll
  void start(KafkaEnvironment kafka) {
    environment = kafka;
    environment.createTopics();
    traffic = new Traffic(environment);
    worker =
        Workers.scripted(
            "first",
            script,
            traffic.kafka(),
            // Sequences are closed when they end, and that is counted here.
            Map.of("slots", SLOTS, "prefill-chunk", 16, "prefix-kv-share", 0, SOURCE, setting));
  }

  @AfterAll
  void stop() {
    worker.close();
    traffic.close();
  }

  @BeforeEach
  @AfterEach
  void fullSpeed() {
    script.stepNanos = 0;
    script.poisonToken = -1;
    script.capacity = 4000;
  }

  @Test
  void shouldGenerateAndAcknowledgeWhenARequestIsSent() {
    String id = traffic.send(Traffic.request("abc", 5));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(end.getFinished().getText()).isEqualTo("defgh");
    assertThat(end.getFinished().getReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
    assertThat(end.getFinished().getPromptTokens()).isEqualTo(3);
    assertThat(end.getFinished().getGeneratedTokens()).isEqualTo(5);
    assertThat(end.getFinished().getRows()).isEqualTo(7);
    assertThat(end.getFinished().getLenses()).containsExactly("logit");
    assertThat(end.getWorker()).isEqualTo("first");
    assertThat(end.getModel()).isEqualTo("scripted");
    List<CompletionEvent> tokens = traffic.eventsOf(id, CompletionType.TOKENS);
    assertThat(tokens)
        .extracting(e -> e.getTokens().getPositions().get(0))
        .containsExactly(3, 4, 5, 6, 7);
    assertThat(tokens)
        .extracting(e -> e.getTokens().getTexts().get(0))
        .containsExactly("d", "e", "f", "g", "h");
    CompletionEvent accepted = traffic.eventsOf(id, CompletionType.ACCEPTED).get(0);
    assertThat(accepted.getAccepted().getPromptTokenIds()).containsExactly(97, 98, 99);
    assertThat(accepted.getAccepted().getCaptureLayers()).containsExactly(0, 1, 2, 3);
    assertThat(accepted.getAttemptId()).isEqualTo(end.getAttemptId()).isNotEmpty();
    assertThat(end.getAttempt()).isEqualTo(1);
  }

  @Test
  void shouldOrderChunksBeforeTheTerminalEventWhenARequestEnds() {
    String id = traffic.send(Traffic.request("order", 8));

    traffic.awaitEnd(id);

    List<Traffic.Seen<CompletionEvent>> events = traffic.eventsOf(id);
    assertThat(events.get(0).value().getType()).isEqualTo(CompletionType.ACCEPTED);
    Traffic.Seen<CompletionEvent> end = events.get(events.size() - 1);
    assertThat(end.value().getType()).isEqualTo(CompletionType.FINISHED);
    Await.until(
        Traffic.PATIENCE,
        () -> traffic.chunksOf(id).size() == end.value().getFinished().getChunks());
    assertThat(traffic.chunksOf(id))
        .allSatisfy(chunk -> assertThat(chunk.broker()).isBeforeOrEqualTo(end.broker()));
    // In the same partition number of either topic.
    assertThat(traffic.chunksOf(id).get(0).record().partition())
        .isEqualTo(end.record().partition());
  }

  @Test
  void shouldPublishChunksThatDecodeByThemselvesWhenRowsAreCaptured() {
    String id =
        traffic.send(
            Traffic.request(
                LONG_PROMPT,
                4,
                r -> {
                  r.setLabels(Map.of("run", "7"));
                  r.getCapture()
                      .setHookPoints(List.of(HookPoint.RESIDUAL_POST, HookPoint.ATTENTION_INPUT));
                  r.getCapture().setLayers("0,2");
                  r.getLenses().get(0).setMetrics(List.of(LensMetric.TOP_K, LensMetric.KL));
                }));

    CompletionEvent end = traffic.awaitEnd(id);

    int prompt = end.getFinished().getPromptTokens();
    int rows = prompt + 4 - 1;
    assertThat(end.getFinished().getRows()).isEqualTo(rows);
    Await.until(
        Traffic.PATIENCE, () -> traffic.chunksOf(id).size() == end.getFinished().getChunks());
    List<Traffic.Seen<ActivationChunk>> chunks = traffic.chunksOf(id);
    assertThat(chunks)
        .extracting(c -> c.value().getSequence())
        .containsExactlyElementsOf(IntStream.range(0, chunks.size()).boxed().toList());
    for (HookPoint hookPoint : List.of(HookPoint.RESIDUAL_POST, HookPoint.ATTENTION_INPUT)) {
      assertThat(CapturedChunks.positions(chunks, hookPoint))
          .containsExactlyElementsOf(IntStream.range(0, rows).boxed().toList());
    }
    chunks.forEach(chunk -> CapturedChunks.check(chunk, LONG_PROMPT, end));
    ActivationChunk last = chunks.get(chunks.size() - 1).value();
    int at = last.getPositions().size() - 1;
    assertThat(last.getModelTopIds().get(at)).isEqualTo(last.getNextTokenIds().get(at));
    assertThat(last.getModelTopLogits().get(at)).isEqualTo(10f);
  }

  @Test
  void shouldRunTogetherWhenManyRequestsAreSent() {
    script.stepNanos = 2_000_000;
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      ids.add(traffic.send(Traffic.request("request " + (char) ('A' + i), 20)));
    }

    for (int i = 0; i < 16; i++) {
      CompletionEvent end = traffic.awaitEnd(ids.get(i));
      assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      StringBuilder expected = new StringBuilder();
      for (int t = 1; t <= 20; t++) {
        expected.append((char) ('A' + i + t));
      }
      assertThat(end.getFinished().getText()).isEqualTo(expected.toString());
      assertThat(end.getFinished().getRows()).isEqualTo(9 + 20 - 1);
    }
    assertThat(script.largestStep).isBetween(2, SLOTS);
    Await.until(Traffic.PATIENCE, () -> script.openSequences == 0);
  }

  @Test
  void shouldNeverEmitPartOfAStopStringWhenOneEndsTheText() {
    String id = traffic.send(Traffic.request("abc", 20, r -> r.setStop(List.of("hij", "xyz"))));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getFinished().getReason()).isEqualTo(FinishReason.STOP_STRING);
    assertThat(end.getFinished().getStopString()).isEqualTo("hij");
    assertThat(end.getFinished().getText()).isEqualTo("defg");
    assertThat(traffic.eventsOf(id, CompletionType.TOKENS))
        .extracting(e -> e.getTokens().getTexts().get(0))
        .containsExactly("d", "e", "f", "g", "", "", "");
  }

  @Test
  void shouldOnlyReadThePromptWhenNoTokenIsWanted() {
    String id = traffic.send(Traffic.request("abcd", 0));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getFinished().getReason()).isEqualTo(FinishReason.PREFILL_ONLY);
    assertThat(end.getFinished().getRows()).isEqualTo(4);
    Await.until(Traffic.PATIENCE, () -> !traffic.chunksOf(id).isEmpty());
    assertThat(traffic.chunksOf(id).get(0).value().getNextTokenIds())
        .containsExactly(98, 99, 100, null);
  }

  @Test
  void shouldReportLogProbabilitiesWhenAskedFor() {
    String id = traffic.send(Traffic.request("abc", 2, r -> r.setLogProbs(true)));

    traffic.awaitEnd(id);

    double expected = 10 - Math.log(Math.exp(10) + ScriptedEngine.VOCABULARY - 1);
    assertThat(traffic.eventsOf(id, CompletionType.TOKENS))
        .hasSize(2)
        .allSatisfy(
            e ->
                assertThat(e.getTokens().getLogProbs().get(0))
                    .isCloseTo((float) expected, org.assertj.core.api.Assertions.within(1e-5f)));
  }

  @ParameterizedTest
  @EnumSource(BadRequest.class)
  void shouldNameTheFieldAndGoOnWhenARequestIsBad(BadRequest bad) {
    String id = traffic.send(Traffic.request("good", 3, bad.change));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getField()).isEqualTo(bad.field);
    assertThat(end.getFailure().getMessage()).isNotBlank();
  }

  @Test
  void shouldKeepARecordAmongTheDeadLettersWhenItCannotBeDecoded() {
    byte[] nonsense = "no Avro at all".getBytes(StandardCharsets.UTF_8);
    traffic.sendRaw(traffic.topics.promptRequests(), "nonsense-" + setting, nonsense);
    String id = traffic.send(Traffic.request("after nonsense", 1));

    assertThat(traffic.awaitEnd(id).getType()).isEqualTo(CompletionType.FINISHED);
    DeadLetter letter = traffic.awaitDeadLetter("nonsense-" + setting);
    assertThat(letter.getValue()).isEqualTo(ByteBuffer.wrap(nonsense));
    assertThat(letter.getFailure().getMessage()).contains("0x6e");
  }

  @Test
  void shouldRunOnceWhenARequestIsSentTwice() {
    script.stepNanos = 5_000_000;
    PromptRequest request = Traffic.request("twice", 20);
    traffic.send(request);
    traffic.await(request.getRequestId(), e -> e.getType() == CompletionType.TOKENS);
    traffic.send(request);
    traffic.awaitEnd(request.getRequestId());
    traffic.send(request);

    // The lane goes on after the duplicates, and nothing of them was run.
    String next = traffic.send(Traffic.request("next", 1));
    traffic.awaitEnd(next);
    awaitAcknowledged();
    assertThat(traffic.eventsOf(request.getRequestId(), CompletionType.ACCEPTED)).hasSize(1);
    assertThat(traffic.eventsOf(request.getRequestId(), CompletionType.FINISHED)).hasSize(1);
  }

  @Test
  void shouldCancelAtTheNextStepWhenARequestRuns() {
    script.stepNanos = 20_000_000;
    String id = traffic.send(Traffic.request("long", 150));
    traffic.await(id, e -> e.getType() == CompletionType.TOKENS);

    traffic.cancel(id, "no longer wanted");

    CompletionEvent end = traffic.awaitEnd(id);
    assertThat(end.getType()).isEqualTo(CompletionType.CANCELLED);
    assertThat(end.getFailure().getMessage()).isEqualTo("no longer wanted");
    assertThat(traffic.eventsOf(id, CompletionType.TOKENS)).hasSizeLessThan(100);
    Await.until(Traffic.PATIENCE, () -> script.openSequences == 0);
  }

  @Test
  void shouldCancelAWaitingRequestWhenTheOrderComesFirst() {
    PromptRequest request = Traffic.request("never", 10);
    traffic.cancel(request.getRequestId(), "");
    String witness = traffic.send(Traffic.request("witness", 30));
    traffic.awaitEnd(witness);
    traffic.send(request);

    CompletionEvent end = traffic.awaitEnd(request.getRequestId());

    assertThat(end.getType()).isEqualTo(CompletionType.CANCELLED);
    assertThat(traffic.eventsOf(request.getRequestId(), CompletionType.ACCEPTED)).isEmpty();
  }

  @Test
  void shouldFailWhenTheDeadlinePassesWhileARequestRuns() {
    script.stepNanos = 20_000_000;
    String id =
        traffic.send(
            Traffic.request("late", 150, r -> r.setDeadline(Instant.now().plusMillis(800))));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("DEADLINE_EXCEEDED");
    assertThat(traffic.eventsOf(id, CompletionType.TOKENS)).isNotEmpty().hasSizeLessThan(100);
  }

  @Test
  void shouldRunAgainWhenTheEngineFails() {
    script.stepNanos = 5_000_000;
    String id = traffic.send(Traffic.request("again", 40));
    traffic.await(id, e -> e.getType() == CompletionType.TOKENS);
    int loads = script.loads;

    script.nextFailure = new IllegalStateException("a kernel failed");

    CompletionEvent end = traffic.awaitEnd(id);
    assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(end.getAttempt()).isEqualTo(2);
    assertThat(script.loads).isEqualTo(loads + 1);
    CompletionEvent failed = traffic.eventsOf(id, CompletionType.ATTEMPT_FAILED).get(0);
    assertThat(failed.getFailure().getMessage()).isEqualTo("a kernel failed");
    assertThat(failed.getAttemptId()).isNotEqualTo(end.getAttemptId());
  }

  @Test
  void shouldGiveUpOneRequestAndFinishTheOthersWhenItBreaksTheEngine() {
    script.stepNanos = 2_000_000;
    script.poisonToken = 'Z';
    String poison = traffic.send(Traffic.request("UVW", 20));
    String innocent = traffic.send(Traffic.request("abc", 20));

    CompletionEvent end = traffic.awaitEnd(poison);
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("ATTEMPTS_EXHAUSTED");
    assertThat(traffic.eventsOf(poison, CompletionType.ATTEMPT_FAILED)).hasSize(3);
    assertThat(traffic.awaitDeadLetter(poison).getAttempts()).isEqualTo(3);
    assertThat(traffic.awaitEnd(innocent).getType()).isEqualTo(CompletionType.FINISHED);
  }

  @Test
  void shouldWaitForRoomWhenTheCacheIsFull() {
    script.capacity = 60;
    script.stepNanos = 2_000_000;
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(traffic.send(Traffic.request("room", 25)));
    }
    String never = traffic.send(Traffic.request("room", 100));

    assertThat(ids)
        .allSatisfy(
            id -> assertThat(traffic.awaitEnd(id).getType()).isEqualTo(CompletionType.FINISHED));
    CompletionEvent end = traffic.awaitEnd(never);
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("TOO_LONG");
  }

  @Test
  void shouldLeaveNothingUnacknowledgedWhenAllRequestsHaveEnded() {
    traffic.awaitEnd(traffic.send(Traffic.request("one", 2)));
    traffic.awaitEnd(traffic.send(Traffic.request("two", 2)));

    awaitAcknowledged();
  }

  /** Waits until the group has acknowledged every record of the topic. */
  private void awaitAcknowledged() {
    try (Admin admin = environment.admin()) {
      Await.until("all acknowledged", Traffic.PATIENCE, () -> lag(admin) == 0);
    }
  }

  private long lag(Admin admin) {
    try {
      return lag(admin, traffic.requestEnds(admin));
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** How many records the group has not acknowledged of the partitions that end there. */
  abstract long lag(Admin admin, Map<TopicPartition, Long> ends)
      throws InterruptedException, ExecutionException;

  String group() {
    return worker.settings().requests().groupId(traffic.topics, "scripted");
  }
}
