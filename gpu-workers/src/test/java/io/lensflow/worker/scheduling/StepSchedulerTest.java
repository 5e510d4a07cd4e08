package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import io.lensflow.engine.DType;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.Accepted;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.Run;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The scheduler against a group and a publisher that the test plays itself. */
class StepSchedulerTest {
  private static final ActorTestKit AKKA = ActorTestKit.create();
  private static final int HIDDEN = 8;
  private static final int LAYERS = 4;
  private static final long POSITION_BYTES = (long) LAYERS * HIDDEN * Float.BYTES;

  private final EngineInfo engine = Runs.engine(LAYERS, HIDDEN);
  private final TestProbe<TensorParallelGroup.Command> group = AKKA.createTestProbe();
  private final TestProbe<ActivationPublisher.Command> publisher = AKKA.createTestProbe();
  private final TestProbe<ActivationPublisher.Report> reports = AKKA.createTestProbe();
  private final TestProbe<StepScheduler.Report> intake = AKKA.createTestProbe();
  private final Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];
  private final MockProducer<String, SpecificRecord> producer =
      new MockProducer<>(true, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
  private volatile Instant now = Instant.now();
  private ActorRef<StepScheduler.Command> scheduler;
  private ActorRef<TensorParallelGroup.StepReply> replyTo;

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    scheduler = spawn(2, 4, 1_000_000);
  }

  private ActorRef<StepScheduler.Command> spawn(int slots, int prefill, long buffer) {
    return spawn(slots, prefill, false, buffer);
  }

  private ActorRef<StepScheduler.Command> spawn(
      int slots, int prefill, boolean wholeChunks, long buffer) {
    return spawn(slots, prefill, wholeChunks, buffer, producer);
  }

  private ActorRef<StepScheduler.Command> spawn(
      int slots,
      int prefill,
      boolean wholeChunks,
      long buffer,
      MockProducer<String, SpecificRecord> events) {
    ActorRef<StepScheduler.Command> made =
        AKKA.spawn(
            StepScheduler.create(
                new StepScheduler.Settings(
                    slots, BatchLane.NONE, prefill, wholeChunks, buffer, "completions"),
                new StepScheduler.Partners(
                    group.ref(),
                    publisher.ref(),
                    reports.ref(),
                    intake.ref(),
                    new EventLog(events)),
                new CompletionEvents(Runs.identity(), () -> now),
                Runs.TOKENIZER,
                new WorkerMetrics(new SimpleMeterRegistry()),
                () -> now));
    made.tell(new StepScheduler.GroupUp(engine));
    return made;
  }

  private Run submit(PromptRequest request) {
    return submit(request, false);
  }

  private Run submit(PromptRequest request, boolean last) {
    Run run = Runs.run(engine, request, 1, last);
    scheduler.tell(new StepScheduler.Submit(run));
    publisher.expectMessageClass(ActivationPublisher.Begin.class);
    return run;
  }

  private static PromptRequest bare(String text, int tokens) {
    return Traffic.request(text, tokens, r -> r.getCapture().setHookPoints(List.of()));
  }

  private StepPlan nextPlan() {
    TensorParallelGroup.RunStep step = group.expectMessageClass(TensorParallelGroup.RunStep.class);
    replyTo = step.replyTo();
    return step.plan();
  }

  /** Answers a step as a model whose next token is the last one plus one. */
  private void answer(StepPlan plan, boolean withRows) {
    List<StepResult.Output> outputs = new ArrayList<>();
    for (StepPlan.Feed feed : plan.feed()) {
      HeadSummary summary =
          feed.logits() == Logits.NONE
              ? null
              : new HeadSummary(feed.tokenIds()[feed.tokenIds().length - 1] + 1, 1, 6);
      int count = feed.tokenIds().length;
      ByteBuffer payload = ByteBuffer.allocate((int) POSITION_BYTES * count);
      CapturedRows rows =
          new CapturedRows(
              HookPoint.RESIDUAL_POST,
              new int[] {0, 1, 2, 3},
              new int[count],
              DType.FLOAT32,
              HIDDEN,
              payload);
      outputs.add(
          new StepResult.Output(
              feed.sequence(), new float[0], summary, withRows ? List.of(rows) : List.of(), null));
    }
    replyTo.tell(
        new TensorParallelGroup.StepDone(new StepResult(plan.id(), outputs, List.of(), 0)));
  }

  /** Refuses all that join for lack of room and moves the others on. */
  private void answerWithoutRoom(StepPlan plan) {
    List<Long> refused = plan.open().stream().map(StepPlan.Open::sequence).toList();
    List<StepResult.Output> outputs =
        plan.feed().stream()
            .filter(feed -> !refused.contains(feed.sequence()))
            .map(
                feed ->
                    new StepResult.Output(
                        feed.sequence(), new float[0], new HeadSummary('x', 1, 6), List.of(), null))
            .toList();
    List<StepResult.Refusal> refusals =
        refused.stream().map(one -> new StepResult.Refusal(one, true, "no room")).toList();
    replyTo.tell(new TensorParallelGroup.StepDone(new StepResult(plan.id(), outputs, refusals, 0)));
  }

  private static List<Long> opened(StepPlan plan) {
    return plan.open().stream().map(StepPlan.Open::sequence).toList();
  }

  private static List<Integer> lengths(StepPlan plan) {
    return plan.feed().stream().map(feed -> feed.tokenIds().length).toList();
  }

  private void refuse(StepPlan plan, boolean shortage) {
    List<StepResult.Refusal> refusals =
        plan.open().stream()
            .map(open -> new StepResult.Refusal(open.sequence(), shortage, "no room"))
            .toList();
    replyTo.tell(
        new TensorParallelGroup.StepDone(new StepResult(plan.id(), List.of(), refusals, 0)));
  }

  private List<CompletionType> events(Run run) {
    return producer.history().stream()
        .map(record -> (CompletionEvent) record.value())
        .filter(event -> event.getRequestId().equals(run.requestId()))
        .map(CompletionEvent::getType)
        .toList();
  }

  private CompletionEvent finish() {
    ActivationPublisher.Command command = publisher.receiveMessage();
    while (!(command instanceof ActivationPublisher.Finish)) {
      command = publisher.receiveMessage();
    }
    return ((ActivationPublisher.Finish) command).terminal();
  }

  @Test
  void shouldReadAPromptInChunksBesideASequenceThatGenerates() {
    submit(bare("ab", 5));
    StepPlan first = nextPlan();
    assertThat(first.open()).hasSize(1);
    submit(bare("0123456789", 2));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 4);
    assertThat(second.feed())
        .extracting(StepPlan.Feed::logits)
        .containsExactly(Logits.SUMMARY, Logits.NONE);
    answer(second, false);
    StepPlan third = nextPlan();
    assertThat(third.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 4);
    answer(third, false);
    StepPlan fourth = nextPlan();
    assertThat(fourth.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 2);
    assertThat(fourth.feed().get(1).logits()).isEqualTo(Logits.SUMMARY);
  }

  @Test
  void shouldNotRunAnAttemptBeforeItIsOnRecord() {
    MockProducer<String, SpecificRecord> slow =
        new MockProducer<>(false, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(bare("a", 2));
    assertThat(slow.history()).hasSize(1);
    group.expectNoMessage(Duration.ofMillis(50));

    slow.errorNext(new TimeoutException("the broker is away"));
    Await.until(Duration.ofSeconds(5), () -> slow.history().size() == 2);
    group.expectNoMessage(Duration.ofMillis(50));
    slow.completeNext();

    assertThat(nextPlan().open()).hasSize(1);
    assertThat(slow.history())
        .allSatisfy(
            sent ->
                assertThat(((CompletionEvent) sent.value()).getAttemptId())
                    .isEqualTo(run.attemptId()));
  }

  /** Takes all records but those that announce a prompt of this length. */
  private MockProducer<String, SpecificRecord> refusing(
      int promptLength, RuntimeException problem, AtomicInteger tries) {
    return new MockProducer<>(true, new RoundRobinPartitioner(), new StringSerializer(), noBytes) {
      @Override
      public synchronized Future<RecordMetadata> send(
          ProducerRecord<String, SpecificRecord> sent, Callback callback) {
        Accepted accepted = ((CompletionEvent) sent.value()).getAccepted();
        if (accepted != null && accepted.getPromptTokenIds().size() == promptLength) {
          tries.incrementAndGet();
          throw problem;
        }
        return super.send(sent, callback);
      }
    };
  }

  @Test
  void shouldPauseBetweenTriesWhenTheBrokerIsAway() {
    AtomicInteger tries = new AtomicInteger();
    scheduler =
        spawn(2, 4, false, 1_000_000, refusing(1, new TimeoutException("no broker"), tries));
    submit(bare("a", 2));

    Await.until(Duration.ofSeconds(5), () -> tries.get() > 2);
    group.expectNoMessage(Duration.ofMillis(100));
    assertThat(tries).hasValueLessThan(50);
  }

  @Test
  void shouldFailTheRunAndLetOthersInWhenItsAttemptCanNeverBeOnRecord() {
    AtomicInteger tries = new AtomicInteger();
    scheduler =
        spawn(2, 4, false, 1_000_000, refusing(3, new RecordTooLargeException("1 MiB"), tries));
    scheduler.tell(new StepScheduler.Submit(Runs.run(engine, bare("abc", 2))));
    scheduler.tell(new StepScheduler.Submit(Runs.run(engine, bare("a", 2))));

    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("WORKER_ERROR");
    assertThat(end.getFailure().getMessage()).contains("RecordTooLargeException: 1 MiB");
    assertThat(opened(nextPlan())).containsExactly(1L);
    assertThat(tries).hasValue(1);
  }

  @Test
  void shouldEndOnceWhenItIsCancelledBeforeItsAttemptTurnsOutToBeUnrecordable() {
    MockProducer<String, SpecificRecord> slow =
        new MockProducer<>(false, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(bare("a", 2));
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    assertThat(finish().getType()).isEqualTo(CompletionType.CANCELLED);

    slow.errorNext(new RecordTooLargeException("1 MiB"));

    publisher.expectNoMessage(Duration.ofMillis(50));
  }

  @Test
  void shouldLetTheNextJoinWhenASlotIsFree() {
    submit(bare("a", 1));
    StepPlan first = nextPlan();
    submit(bare("b", 3));
    submit(bare("c", 3));
    answer(first, false);

    StepPlan second = nextPlan();
    // The first has ended with its only token: it leaves in the step in which another joins.
    assertThat(second.close()).containsExactly(first.open().get(0).sequence());
    assertThat(opened(second)).containsExactly(1L);
    answer(second, false);
    // The last had no place until then, and joins when its attempt is on record.
    assertThat(opened(nextPlan())).containsExactly(2L);
    assertThat(finish().getType()).isEqualTo(CompletionType.FINISHED);
  }

  @Test
  void shouldWaitUntilOneLeavesWhenThereIsNoRoom() {
    submit(bare("a", 2));
    answer(nextPlan(), false);
    submit(bare("bbbb", 2));
    StepPlan second = nextPlan();
    answer(second, false);
    // The first ends here; the other opens, is refused, and waits while nothing else runs: so it
    // can never fit.
    StepPlan third = nextPlan();
    assertThat(third.open()).hasSize(1);
    refuse(third, true);

    CompletionEvent finished = finish();
    CompletionEvent failed = finish();
    assertThat(finished.getType()).isEqualTo(CompletionType.FINISHED);
    assertThat(failed.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(failed.getFailure().getMessage()).isEqualTo("no room");
  }

  @Test
  void shouldRunAloneWhenItIsTheLastAttempt() {
    Run before = submit(bare("a", 2));
    StepPlan first = nextPlan();
    submit(bare("b", 2), true);
    submit(bare("c", 2));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.open()).isEmpty();
    answer(second, false);
    StepPlan third = nextPlan();
    assertThat(third.close()).hasSize(1);
    answer(third, false);
    // If it killed the process now, the one before it would have to run again.
    group.expectNoMessage(Duration.ofMillis(150));
    scheduler.tell(
        new StepScheduler.PublisherHeard(
            new ActivationPublisher.Durable(before.requestId(), before.attemptId())));
    StepPlan fourth = nextPlan();
    assertThat(opened(fourth)).containsExactly(1L);
    assertThat(fourth.feed()).hasSize(1);
    answer(fourth, false);
    assertThat(nextPlan().open()).isEmpty();
  }

  @Test
  void shouldFailAttemptsAndGoOnWhenTheEngineComesBack() {
    Run run = submit(bare("a", 5));
    StepPlan plan = nextPlan();
    replyTo.tell(new TensorParallelGroup.StepFailed(plan.id(), "broken"));

    StepScheduler.AttemptFailed failed =
        intake.expectMessageClass(StepScheduler.AttemptFailed.class);
    assertThat(failed.attemptId()).isEqualTo(run.attemptId());
    assertThat(failed.reason()).isEqualTo("broken");
    publisher.expectMessage(new ActivationPublisher.Abort(run.attemptId()));
    assertThat(events(run)).containsExactly(CompletionType.ACCEPTED, CompletionType.ATTEMPT_FAILED);
    submit(bare("b", 5));
    group.expectNoMessage(Duration.ofMillis(50));
    scheduler.tell(new StepScheduler.GroupDown("broken"));
    scheduler.tell(new StepScheduler.GroupUp(engine));
    assertThat(nextPlan().open()).hasSize(1);
  }

  @Test
  void shouldCancelAtTheStepBoundary() {
    Run run = submit(bare("a", 50));
    StepPlan first = nextPlan();
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.close()).hasSize(1);
    assertThat(second.feed()).isEmpty();
    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.CANCELLED);
    assertThat(end.getFailure().getMessage()).isEqualTo("enough");
  }

  @Test
  void shouldEndBehindRowsAndTokensWhenItIsStoppedWhileAStepRuns() {
    MockProducer<String, SpecificRecord> slow =
        new MockProducer<>(false, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(Traffic.request("a", 50));
    slow.completeNext();
    StepPlan first = nextPlan();
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    answer(first, true);

    publisher.expectMessageClass(ActivationPublisher.Rows.class);
    ActivationPublisher.Finish end = publisher.expectMessageClass(ActivationPublisher.Finish.class);
    assertThat(end.terminal().getType()).isEqualTo(CompletionType.CANCELLED);
    // The end waits for the step's token.
    assertThat(end.events().toCompletableFuture()).isNotDone();
    slow.completeNext();
    assertThat(end.events().toCompletableFuture()).isCompleted();
    assertThat(slow.history())
        .extracting(sent -> ((CompletionEvent) sent.value()).getType())
        .containsExactly(CompletionType.ACCEPTED, CompletionType.TOKENS);
  }

  @Test
  void shouldFailWhenTheDeadlinePassesWhileTheEngineIsAway() {
    scheduler.tell(new StepScheduler.GroupDown("restarting"));
    submit(Traffic.request("a", 5, r -> r.setDeadline(now.plusSeconds(60))));

    now = now.plusSeconds(61);

    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("DEADLINE_EXCEEDED");
  }

  @Test
  void shouldStopAdmittingAndThenSteppingWhenTheBrokerIsSlow() {
    scheduler = spawn(4, 4, 10 * POSITION_BYTES);
    submit(Traffic.request("abcd", 50));
    answer(nextPlan(), true);
    ActivationPublisher.Rows rows = publisher.expectMessageClass(ActivationPublisher.Rows.class);
    assertThat(rows.runs().get(0).rows().bytes()).isEqualTo(4 * POSITION_BYTES);
    answer(nextPlan(), true);
    answer(nextPlan(), true);
    assertThat(intake.receiveMessage()).isEqualTo(new StepScheduler.Pressure(true));
    for (int held = 7; held <= 10; held++) {
      answer(nextPlan(), true);
    }

    // Ten positions wait for the broker: the buffer is full, and the device stands still.
    group.expectNoMessage(Duration.ofMillis(150));
    rows.credits().tell(new ActivationPublisher.Credit(8 * POSITION_BYTES));
    assertThat(intake.receiveMessage()).isEqualTo(new StepScheduler.Pressure(false));
    assertThat(nextPlan().feed()).hasSize(1);
  }

  @Test
  void shouldReadPromptsInTurnsWhenALongOneRuns() {
    submit(bare("0123456789ab", 9));
    StepPlan first = nextPlan();
    submit(bare("xy", 9));
    answer(first, false);
    StepPlan second = nextPlan();
    answer(second, false);
    StepPlan third = nextPlan();

    // The long prompt's turn was earlier; then it is the short one's, and the rest is for the long.
    assertThat(lengths(second)).containsExactly(4);
    assertThat(opened(second)).isEmpty();
    assertThat(opened(third)).hasSize(1);
    assertThat(third.feed().get(0).sequence()).isEqualTo(opened(third).get(0));
    assertThat(lengths(third)).containsExactly(2, 2);
  }

  @Test
  void shouldBoundThePromptTokensOfAStepWhenManyPromptsAreLong() {
    scheduler = spawn(4, 4, 1_000_000);
    submit(bare("ab", 30));
    StepPlan plan = nextPlan();
    submit(bare("0123456789", 1));
    submit(bare("0123456789abcdefgh", 1));
    submit(bare("012", 1));
    int prompts = 0;
    while (prompts < 10 + 18 + 3) {
      answer(plan, false);
      plan = nextPlan();
      assertThat(plan.feed().get(0).tokenIds()).hasSize(1);
      int tokens = lengths(plan).stream().mapToInt(Integer::intValue).sum() - 1;
      assertThat(tokens).isBetween(1, 4);
      prompts += tokens;
    }
    assertThat(prompts).isEqualTo(31);
  }

  @Test
  void shouldCutPromptsAtTheSamePlacesWhoeverRunsBesideWhenChunksAreWhole() {
    scheduler = spawn(4, 4, true, 1_000_000);
    submit(bare("0123456789", 9));
    StepPlan plan = nextPlan();
    submit(bare("abcdef", 9));
    Map<Long, List<Integer>> chunks = new HashMap<>();
    for (int step = 0; step < 6; step++) {
      for (StepPlan.Feed feed : plan.feed()) {
        chunks.computeIfAbsent(feed.sequence(), s -> new ArrayList<>()).add(feed.tokenIds().length);
      }
      answer(plan, false);
      plan = nextPlan();
    }

    assertThat(chunks.get(0L)).startsWith(4, 4, 2, 1);
    assertThat(chunks.get(1L)).startsWith(4, 2, 1);
  }

  @Test
  void shouldKeepTheOrderWhenSeveralFindNoRoom() {
    scheduler = spawn(4, 8, 1_000_000);
    submit(bare("a", 4));
    StepPlan first = nextPlan();
    submit(bare("b", 4));
    submit(bare("c", 4));
    answer(first, false);
    StepPlan second = nextPlan();
    assertThat(opened(second)).containsExactly(1L, 2L);
    answerWithoutRoom(second);

    StepPlan third = nextPlan();
    submit(bare("d", 4));
    answer(third, false);
    StepPlan fourth = nextPlan();
    // Nobody joins while all that run go on, not even who came later.
    assertThat(opened(third)).isEmpty();
    assertThat(opened(fourth)).isEmpty();
    answer(fourth, false);

    StepPlan fifth = nextPlan();
    assertThat(fifth.close()).containsExactly(0L);
    assertThat(opened(fifth)).containsExactly(1L, 2L);
    answer(fifth, false);
    assertThat(opened(nextPlan())).containsExactly(3L);
  }

  @Test
  void shouldLetOthersInWhenTheOneThatFoundNoRoomIsCancelled() {
    submit(bare("a", 9));
    StepPlan first = nextPlan();
    Run large = submit(bare("b", 9));
    answer(first, false);
    answerWithoutRoom(nextPlan());
    StepPlan third = nextPlan();
    assertThat(opened(third)).isEmpty();
    submit(bare("c", 9));
    scheduler.tell(new StepScheduler.Cancel(large.requestId(), ""));
    answer(third, false);
    answer(nextPlan(), false);

    assertThat(opened(nextPlan())).containsExactly(2L);
    assertThat(finish().getType()).isEqualTo(CompletionType.CANCELLED);
  }

  @Test
  void shouldTryAgainWhenWhoHeldTheRoomWasDiscardedMeanwhile() {
    Run holder = submit(bare("a", 9));
    StepPlan first = nextPlan();
    submit(bare("b", 9));
    answer(first, false);
    StepPlan second = nextPlan();
    scheduler.tell(new StepScheduler.Discard(holder.attemptId()));
    answerWithoutRoom(second);

    StepPlan third = nextPlan();
    assertThat(third.close()).containsExactly(0L);
    assertThat(opened(third)).containsExactly(1L);
  }
}
