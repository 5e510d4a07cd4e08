package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import com.typesafe.config.ConfigFactory;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.PromptRequest;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.RestartPolicy;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.InvalidRequestException;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.request.Run;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** The scheduler over a real engine: who joins when, and what their neighbours change. */
class RealEngineSchedulingTest {
  private static final ActorTestKit AKKA = ActorTestKit.create(ConfigFactory.load());
  private static final Path MODEL = Path.of("../engine/src/test/resources/golden/llama-tp");
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final EngineOptions OPTIONS = new EngineOptions(DType.FLOAT32, 48, 1);

  private final TestProbe<TensorParallelGroup.Status> status = AKKA.createTestProbe();
  private final TestProbe<ActivationPublisher.Command> publisher = AKKA.createTestProbe();
  private final TestProbe<ActivationPublisher.Report> reports = AKKA.createTestProbe();
  private final TestProbe<StepScheduler.Report> intake = AKKA.createTestProbe();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  private static PromptRequest request(int promptTokens, int newTokens) {
    return Traffic.request(
        "",
        newTokens,
        r -> {
          r.getPrompt().setText(null);
          r.getPrompt()
              .setTokenIds(
                  IntStream.range(0, promptTokens)
                      .map(i -> 7 + i * promptTokens % 131)
                      .boxed()
                      .toList());
          r.getCapture().setHookPoints(List.of());
          r.setIgnoreEos(true);
        });
  }

  private double free() {
    return meters.get("lensflow.worker.kv.tokens.free").gauge().value();
  }

  @Test
  void shouldFinishAllWhenThePoolHoldsOnlyTwoAtATime() {
    Started started = start(OPTIONS.withRanks(2), false);
    EngineInfo engine = started.engine();
    ActorRef<StepScheduler.Command> scheduler = started.scheduler();
    assertThat(engine.kvTokens()).isEqualTo(48);
    // Blocks hold 16 tokens: one of the long takes all three, of the short three run together.
    Deque<String> expected = new ArrayDeque<>();
    for (int i = 0; i < 24; i++) {
      boolean isLong = i % 4 == 1;
      Run run = Runs.run(engine, isLong ? request(20, 25) : request(5, 9));
      expected.add(run.attemptId());
      scheduler.tell(new StepScheduler.Submit(run));
    }

    Map<String, CompletionEvent> ends = new HashMap<>();
    while (ends.size() < 24) {
      if (publisher.receiveMessage(PATIENCE) instanceof ActivationPublisher.Finish finish) {
        ends.put(finish.attemptId(), finish.terminal());
      }
    }

    assertThat(ends).containsOnlyKeys(expected);
    assertThat(ends.values())
        .allSatisfy(end -> assertThat(end.getType()).isEqualTo(CompletionType.FINISHED));
    Await.until(PATIENCE, () -> free() == 48);
    started.stop();
  }

  private record Started(
      EngineInfo engine,
      ActorRef<TensorParallelGroup.Command> group,
      ActorRef<StepScheduler.Command> scheduler) {
    void stop() {
      AKKA.stop(scheduler);
      AKKA.stop(group);
    }
  }

  private Started start(EngineOptions options, boolean wholeChunks) {
    ActorRef<TensorParallelGroup.Command> group =
        AKKA.spawn(
            TensorParallelGroup.create(
                () -> EngineLoader.load(MODEL, options),
                new RestartPolicy(Duration.ofMillis(20), Duration.ofMillis(40), 3),
                status.ref()));
    EngineInfo engine = status.expectMessageClass(TensorParallelGroup.Up.class, PATIENCE).engine();
    ActorRef<StepScheduler.Command> scheduler = scheduler(group, wholeChunks);
    scheduler.tell(new StepScheduler.GroupUp(engine));
    return new Started(engine, group, scheduler);
  }

  private ActorRef<StepScheduler.Command> scheduler(
      ActorRef<TensorParallelGroup.Command> group, boolean wholeChunks) {
    return AKKA.spawn(
        StepScheduler.create(
            new StepScheduler.Settings(
                16, BatchLane.NONE, 8, wholeChunks, 0.5, 10_000_000, "completions"),
            new StepScheduler.Partners(
                group,
                publisher.ref(),
                reports.ref(),
                intake.ref(),
                new EventLog(
                    new MockProducer<>(
                        true, new RoundRobinPartitioner(), new StringSerializer(), noBytes))),
            new CompletionEvents(Runs.identity(), InstantSource.system()),
            Runs.TOKENIZER,
            new WorkerMetrics(meters),
            InstantSource.system()));
  }

  @Test
  void shouldGiveTheSameBitsWhoeverRunsBesideWhenTheEngineIsDeterministic() {
    Started started = start(OPTIONS.withKvTokens(640).withRanks(2).withDeterministic(true), true);
    PromptRequest watched = captured(20, 12);
    List<ByteBuffer> alone = rowsOf(started, watched, List.of());

    List<ByteBuffer> among =
        rowsOf(started, watched, List.of(captured(30, 9), captured(3, 20), captured(13, 14)));

    assertThat(alone).hasSize(3 + 11);
    assertThat(among).isEqualTo(alone);
    started.stop();
  }

  /** Runs a request behind others; gives its rows, one buffer a step. */
  private List<ByteBuffer> rowsOf(
      Started started, PromptRequest watched, List<PromptRequest> before) {
    List<Run> runs = new ArrayList<>();
    before.forEach(request -> runs.add(Runs.run(started.engine(), request)));
    Run own = Runs.run(started.engine(), watched);
    runs.add(own);
    runs.forEach(run -> started.scheduler().tell(new StepScheduler.Submit(run)));
    List<ByteBuffer> rows = new ArrayList<>();
    for (int ended = 0; ended < runs.size(); ) {
      ActivationPublisher.Command command = publisher.receiveMessage(PATIENCE);
      if (command instanceof ActivationPublisher.Finish) {
        ended++;
      } else if (command instanceof ActivationPublisher.Rows got) {
        got.runs().stream()
            .filter(run -> run.attemptId().equals(own.attemptId()))
            .forEach(run -> rows.add(run.rows().rows().get(0).payload()));
      }
    }
    return rows;
  }

  private static PromptRequest captured(int promptTokens, int newTokens) {
    PromptRequest request = request(promptTokens, newTokens);
    request.getCapture().setHookPoints(List.of(HookPoint.RESIDUAL_POST));
    return request;
  }

  @Test
  void shouldSayWhichSettingIsShortWhenAPromptIsLongerThanThePool() {
    Started started = start(OPTIONS, false);
    started.stop();

    assertThatThrownBy(
            () ->
                new RequestValidator("tp", started.engine(), Runs.TOKENIZER)
                    .validate(request(49, 1), null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("49 tokens")
        .hasMessageContaining("lensflow.worker.kv-tokens")
        .hasMessageContaining("48");
  }

  @Test
  void shouldHoldAsMuchAsAtFirstWhenThousandsHaveComeAndGone() throws IOException {
    Random random = new Random(11);
    try (Engine engine = EngineLoader.load(MODEL, OPTIONS.withKvTokens(640))) {
      Deque<Sequence> open = new ArrayDeque<>();
      for (int i = 0; i < 20_000; i++) {
        try {
          int length = 1 + random.nextInt(64);
          open.add(engine.open(new SequenceOptions(1, length, CapturePlan.NONE, List.of())));
        } catch (KvCapacityException e) {
          assertThat(engine.freeKvTokens()).isLessThan(64);
        }
        while (open.size() > random.nextInt(24)) {
          (random.nextBoolean() ? open.removeFirst() : open.removeLast()).close();
        }
      }
      open.forEach(Sequence::close);

      assertThat(engine.freeKvTokens()).isEqualTo(640);
    }
  }
}
