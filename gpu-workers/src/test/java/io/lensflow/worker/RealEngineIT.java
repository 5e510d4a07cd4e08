package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.ElementType;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker over a real checkpoint, against the engine run alone. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealEngineIT {
  static final String PROMPT = "Kafka keeps every row in order, and a worker that dies";
  static final int NEW_TOKENS = 24;

  private final List<WorkerService> workers = new ArrayList<>();
  private Path checkpoint;
  Traffic traffic;

  /** R of the worker; what it is held to is always an engine of one rank. */
  int ranks() {
    return 1;
  }

  WorkerService startWorker(WorkerSettings settings) {
    return WorkerService.start(settings, traffic.kafka());
  }

  @BeforeAll
  void start(KafkaEnvironment environment) {
    checkpoint = SharedData.folder("fixtures/tiny-llama31");
    environment.createTopics();
    traffic = new Traffic(environment);
    workers.add(
        startWorker(
            Workers.settings(
                "real",
                checkpoint,
                Map.of(
                    "slots",
                    16,
                    "dtype",
                    "float32",
                    "prefill-chunk",
                    10,
                    "threads",
                    ranks(),
                    "ranks",
                    ranks(),
                    "restart.min-backoff",
                    "50ms"))));
  }

  @AfterAll
  void stop() {
    workers.forEach(WorkerService::close);
    if (traffic != null) {
      traffic.close();
    }
  }

  /** What the engine alone says: one prefill, then token by token. */
  record Alone(int[] prompt, List<Integer> generated, float[][][] rows, List<HeadSummary> heads) {}

  Alone alone(String text) throws IOException {
    try (Engine engine = EngineLoader.load(checkpoint, new EngineOptions(DType.FLOAT32, 1024, 1))) {
      int[] prompt = engine.tokenizer().encode(text);
      int layers = engine.config().layers();
      int hidden = engine.config().hiddenSize();
      List<Integer> all = IntStream.range(0, layers).boxed().toList();
      CapturePlan plan =
          new CapturePlan(List.of(HookPoint.RESIDUAL_POST), all, PositionSpec.ALL, false);
      float[][][] rows = new float[layers][prompt.length + NEW_TOKENS - 1][hidden];
      List<Integer> generated = new ArrayList<>();
      List<HeadSummary> heads = new ArrayList<>();
      int[] next = prompt;
      try (Sequence sequence =
          engine.open(
              new SequenceOptions(
                  prompt.length, prompt.length + NEW_TOKENS - 1, plan, List.of()))) {
        while (generated.size() < NEW_TOKENS) {
          StepOutput output =
              engine.step(List.of(new StepInput(sequence, next, StepInput.Logits.LAST))).get(0);
          int[] positions = output.rows().get(0).positions();
          FloatBuffer floats =
              output.rows().get(0).payload().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
          for (int layer = 0; layer < layers; layer++) {
            for (int position : positions) {
              floats.get(rows[layer][position]);
            }
          }
          HeadSummary head = HeadSummary.of(output.logits());
          heads.add(head);
          generated.add(head.topId());
          next = new int[] {head.topId()};
        }
      }
      return new Alone(prompt, generated, rows, heads);
    }
  }

  @Test
  void shouldPublishWhatTheEngineAloneGivesWhenARequestRunsThroughTheTopics() throws IOException {
    Alone alone = alone(PROMPT);
    String id = traffic.send(Traffic.request(PROMPT, NEW_TOKENS, r -> r.setIgnoreEos(true)));

    CompletionEvent end = traffic.awaitEnd(id);

    assertThat(end.getAttempt()).isEqualTo(1);
    assertComplete(id, end, alone);
  }

  /** All that the winning attempt wrote is there, and is what the engine alone gives. */
  void assertComplete(String id, CompletionEvent end, Alone alone) {
    int rows = alone.prompt().length + NEW_TOKENS - 1;
    assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(end.getFinished().getRows()).isEqualTo(rows);
    assertThat(
            traffic.eventsOf(id, CompletionType.TOKENS).stream()
                .filter(e -> e.getAttemptId().equals(end.getAttemptId()))
                .map(e -> e.getTokens().getIds().get(0)))
        .containsExactlyElementsOf(alone.generated());
    Await.until(Traffic.PATIENCE, () -> chunksOf(end).size() == end.getFinished().getChunks());
    Map<Integer, Integer> seen = new HashMap<>();
    for (ActivationChunk chunk : chunksOf(end)) {
      compare(chunk, alone, seen);
    }
    assertThat(seen).hasSize(rows).allSatisfy((p, n) -> assertThat(n).isEqualTo(1));
  }

  private List<ActivationChunk> chunksOf(CompletionEvent end) {
    return traffic.chunksOf(end.getRequestId()).stream()
        .map(Traffic.Seen::value)
        .filter(chunk -> chunk.getAttemptId().equals(end.getAttemptId()))
        .toList();
  }

  private static void compare(ActivationChunk chunk, Alone alone, Map<Integer, Integer> seen) {
    assertThat(chunk.getDtype()).isEqualTo(ElementType.FLOAT32);
    assertThat(chunk.getLayers()).hasSize(alone.rows().length);
    FloatBuffer floats =
        chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    for (int layer : chunk.getLayers()) {
      for (int position : chunk.getPositions()) {
        float[] expected = alone.rows()[layer][position];
        float[] row = new float[expected.length];
        floats.get(row);
        double norm = 0;
        double distance = 0;
        for (int i = 0; i < row.length; i++) {
          norm += (double) expected[i] * expected[i];
          distance += (double) (expected[i] - row[i]) * (expected[i] - row[i]);
        }
        assertThat(Math.sqrt(distance / norm)).isLessThan(3e-5);
      }
    }
    for (int i = 0; i < chunk.getPositions().size(); i++) {
      int position = chunk.getPositions().get(i);
      seen.merge(position, 1, Integer::sum);
      int generatedIndex = position - alone.prompt().length + 1;
      if (generatedIndex >= 0) {
        HeadSummary head = alone.heads().get(generatedIndex);
        assertThat(chunk.getModelTopIds().get(i)).isEqualTo(head.topId());
        assertThat(chunk.getModelLogSumExps().get(i)).isCloseTo(head.logSumExp(), within(1e-3f));
        assertThat(chunk.getNextTokenIds().get(i)).isEqualTo(alone.generated().get(generatedIndex));
      }
    }
  }

  @Test
  void shouldPublishTheFirstChunkEarlyWhenARequestRuns() {
    String id = traffic.send(Traffic.request(PROMPT, 40, r -> r.setIgnoreEos(true)));

    CompletionEvent end = traffic.awaitEnd(id);

    List<Instant> tokens =
        traffic.eventsOf(id).stream()
            .filter(e -> e.value().getType() == CompletionType.TOKENS)
            .map(Traffic.Seen::broker)
            .toList();
    assertThat(tokens).hasSize(40);
    Await.until(
        Traffic.PATIENCE, () -> traffic.chunksOf(id).size() == end.getFinished().getChunks());
    assertThat(traffic.chunksOf(id).get(0).broker()).isBeforeOrEqualTo(tokens.get(20));
  }

  @Test
  void shouldGiveEachItsOwnWhenSixteenRunTogether() throws IOException {
    List<String> prompts = IntStream.range(0, 16).mapToObj(i -> PROMPT + " " + i).toList();
    List<String> ids =
        prompts.stream()
            .map(p -> traffic.send(Traffic.request(p, NEW_TOKENS, r -> r.setIgnoreEos(true))))
            .toList();

    for (int i = 0; i < ids.size(); i++) {
      CompletionEvent end = traffic.awaitEnd(ids.get(i));
      assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      assertThat(end.getFinished().getGeneratedTokens()).isEqualTo(NEW_TOKENS);
    }
    Alone alone = alone(prompts.get(15));
    assertThat(
            traffic.eventsOf(ids.get(15), CompletionType.TOKENS).stream()
                .map(e -> e.getTokens().getIds().get(0)))
        .containsExactlyElementsOf(alone.generated());
  }

  @Test
  void shouldSendRowsInTheDtypeThatTheRequestWants() {
    String id =
        traffic.send(
            Traffic.request(PROMPT, 2, r -> r.getCapture().setDtype(ElementType.BFLOAT16)));

    CompletionEvent end = traffic.awaitEnd(id);

    Await.until(
        Traffic.PATIENCE, () -> traffic.chunksOf(id).size() == end.getFinished().getChunks());
    assertThat(traffic.chunksOf(id))
        .allSatisfy(
            c -> {
              ActivationChunk chunk = c.value();
              assertThat(chunk.getDtype()).isEqualTo(ElementType.BFLOAT16);
              ByteBuffer payload = chunk.getPayload();
              int elements = chunk.getShape().stream().reduce(1, Math::multiplyExact);
              assertThat(payload.remaining()).isEqualTo(2 * elements);
            });
  }
}
