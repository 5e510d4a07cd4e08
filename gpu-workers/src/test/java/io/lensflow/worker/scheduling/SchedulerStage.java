package io.lensflow.worker.scheduling;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import io.lensflow.engine.DType;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The scheduler against a group and a publisher that the test plays itself. */
abstract class SchedulerStage {
  private static final int HIDDEN = 8;
  private static final int LAYERS = 4;
  static final long POSITION_BYTES = (long) LAYERS * HIDDEN * Float.BYTES;

  private static ActorTestKit akka;

  final EngineInfo engine = Runs.engine(LAYERS, HIDDEN);
  final TestProbe<TensorParallelGroup.Command> group = akka.createTestProbe();
  final TestProbe<ActivationPublisher.Command> publisher = akka.createTestProbe();
  final TestProbe<ActivationPublisher.Report> reports = akka.createTestProbe();
  final TestProbe<StepScheduler.Report> intake = akka.createTestProbe();
  final Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];
  private final MockProducer<String, SpecificRecord> producer = producer(true);

  /** What the scheduler takes for the time. */
  volatile Instant now = Instant.now();

  /** Part of the pool that ended sequences may go on holding; for those spawned from then on. */
  double prefixShare;

  /** Tokens of the pool that a step says are free. */
  int free;

  ActorRef<StepScheduler.Command> scheduler;

  /** Who hears of the step planned last. */
  ActorRef<TensorParallelGroup.StepReply> replyTo;

  @BeforeAll
  static void startActors() {
    akka = ActorTestKit.create();
  }

  @AfterAll
  static void stopActors() {
    akka.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    scheduler = spawn(2, 4, 1_000_000);
  }

  /** Where events go; without {@code prompt} each waits for the test to complete it. */
  MockProducer<String, SpecificRecord> producer(boolean prompt) {
    return new MockProducer<>(prompt, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
  }

  ActorRef<StepScheduler.Command> spawn(int slots, int prefill, long buffer) {
    return spawn(slots, prefill, false, buffer);
  }

  ActorRef<StepScheduler.Command> spawn(int slots, int prefill, boolean wholeChunks, long buffer) {
    return spawn(slots, prefill, wholeChunks, buffer, producer);
  }

  ActorRef<StepScheduler.Command> spawn(
      int slots,
      int prefill,
      boolean wholeChunks,
      long buffer,
      MockProducer<String, SpecificRecord> events) {
    ActorRef<StepScheduler.Command> made =
        akka.spawn(
            StepScheduler.create(
                new StepScheduler.Settings(
                    slots,
                    BatchLane.NONE,
                    prefill,
                    wholeChunks,
                    prefixShare,
                    buffer,
                    "completions"),
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

  /** Hands a request over, as its first attempt. */
  Run submit(PromptRequest request) {
    return submit(request, false);
  }

  Run submit(PromptRequest request, boolean last) {
    Run run = Runs.run(engine, request, 1, last);
    scheduler.tell(new StepScheduler.Submit(run));
    publisher.expectMessageClass(ActivationPublisher.Begin.class);
    return run;
  }

  /** A request that captures nothing. */
  static PromptRequest bare(String text, int tokens) {
    return Traffic.request(text, tokens, r -> r.getCapture().setHookPoints(List.of()));
  }

  /** The step that the scheduler sends off next. */
  StepPlan nextPlan() {
    TensorParallelGroup.RunStep step = group.expectMessageClass(TensorParallelGroup.RunStep.class);
    replyTo = step.replyTo();
    return step.plan();
  }

  /** Answers a step as a model whose next token is the last one plus one. */
  void answer(StepPlan plan, boolean withRows) {
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
        new TensorParallelGroup.StepDone(new StepResult(plan.id(), outputs, List.of(), free)));
  }

  /** Sequences that join in a step. */
  static List<Long> opened(StepPlan plan) {
    return plan.open().stream().map(StepPlan.Open::sequence).toList();
  }

  /** Tokens of each sequence in a step. */
  static List<Integer> lengths(StepPlan plan) {
    return plan.feed().stream().map(feed -> feed.tokenIds().length).toList();
  }

  /** What was said of a run, but for its end. */
  List<CompletionType> events(Run run) {
    return producer.history().stream()
        .map(record -> (CompletionEvent) record.value())
        .filter(event -> event.getRequestId().equals(run.requestId()))
        .map(CompletionEvent::getType)
        .toList();
  }

  /** How the run ends that ends next. */
  CompletionEvent finish() {
    ActivationPublisher.Command command = publisher.receiveMessage();
    while (!(command instanceof ActivationPublisher.Finish)) {
      command = publisher.receiveMessage();
    }
    return ((ActivationPublisher.Finish) command).terminal();
  }
}
