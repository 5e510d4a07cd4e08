package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.lag.CaptureGate;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CaptureFit;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.scheduling.BatchRoom;
import io.lensflow.worker.scheduling.StepScheduler;
import io.lensflow.worker.steering.PinnedSteering;
import io.lensflow.worker.steering.Resolution;
import io.lensflow.worker.steering.SteeringTable;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The intake with a source, a history, a scheduler and a table that the test plays. */
class RequestIntakeTest {
  private static final ActorTestKit AKKA = ActorTestKit.create();
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration WAIT = Duration.ofSeconds(3);

  private final EngineInfo engine = Runs.engine(4, 8);
  private final FakeSource source = new FakeSource();
  private final Map<String, RequestHistory> histories = new HashMap<>();
  private final Map<String, PromptRequest> sent = new ConcurrentHashMap<>();
  private final TestProbe<StepScheduler.Command> scheduler = AKKA.createTestProbe();
  private final TestProbe<RequestIntake.Event> listener = AKKA.createTestProbe();
  private final Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];
  private final MockProducer<String, SpecificRecord> producer =
      new MockProducer<>(true, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
  private final CaptureGate captures =
      new CaptureGate() {
        @Override
        public boolean isHeldUp(String requestId) {
          return decoderBehind;
        }

        @Override
        public String reason() {
          return "the decoder is behind";
        }
      };
  private volatile boolean decoderBehind;
  private volatile Duration clockError = Duration.ZERO;
  private ActorRef<RequestIntake.Command> intake;
  private volatile Resolution answerEverything = new Resolution.Pinned(PinnedSteering.NONE);
  private long nextTicket;

  private static final class FakeSource implements RequestSource {
    private final List<Long> completed = new CopyOnWriteArrayList<>();
    private final List<Long> abandoned = new CopyOnWriteArrayList<>();
    private final Set<Long> parked = ConcurrentHashMap.newKeySet();
    private volatile boolean open;
    private volatile Consumer<Delivery> sink;

    @Override
    public void start(Consumer<Delivery> to) {
      sink = to;
    }

    @Override
    public void welcome(boolean nowOpen) {
      open = nowOpen;
    }

    @Override
    public void park(Delivery delivery, boolean waits) {
      if (waits) {
        parked.add(delivery.ticket());
      } else {
        parked.remove(delivery.ticket());
      }
    }

    @Override
    public void complete(Delivery delivery) {
      completed.add(delivery.ticket());
    }

    @Override
    public void abandon(Delivery delivery) {
      abandoned.add(delivery.ticket());
    }

    @Override
    public void close() {}
  }

  private final HistoryReader history =
      new HistoryReader() {
        @Override
        public CompletionStage<RequestHistory> read(String requestId, Instant since) {
          return CompletableFuture.completedFuture(
              histories.getOrDefault(requestId, RequestHistory.NONE));
        }

        @Override
        public void close() {}
      };

  /** The value is the request's id: the requests themselves lie in a map. */
  private final Deserializer<PromptRequest> deserializer =
      (topic, bytes) -> {
        PromptRequest request = sent.get(new String(bytes, StandardCharsets.UTF_8));
        if (request == null) {
          throw new RecordFormatException("no record at all");
        }
        return request;
      };

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    EventLog log = new EventLog(producer);
    intake =
        AKKA.spawn(
            RequestIntake.create(
                new IntakeSettings(8, 4, 3, Duration.ofMinutes(5), WAIT, 2),
                new RequestIntake.Partners(
                    source,
                    history,
                    new IntakeRecords(log, "completions", "dead-letters"),
                    deserializer,
                    new RequestValidator("scripted", engine, Runs.TOKENIZER),
                    new CompletionEvents(Runs.identity(), Instant::now),
                    AKKA.spawn(Behaviors.receiveMessage(this::onTable)),
                    captures,
                    new CaptureFit(
                        engine, new CaptureFit.Limits(1 << 20, 1 << 20, 1, 1 << 20, 1 << 20)),
                    new BatchRoom(64),
                    listener.ref()),
                new WorkerMetrics(new SimpleMeterRegistry()),
                () -> Instant.now().plus(clockError)));
    intake.tell(new RequestIntake.Begin(scheduler.ref()));
    intake.tell(new RequestIntake.ControlCaughtUp());
    intake.tell(new RequestIntake.SteeringHeard(new SteeringTable.Ready()));
    listener.expectMessageClass(RequestIntake.Opened.class);
  }

  private Behavior<SteeringTable.Command> onTable(SteeringTable.Command command) {
    if (command instanceof SteeringTable.Resolve resolve) {
      resolve.replyTo().tell(answerEverything);
    }
    return Behaviors.same();
  }

  private long deliver(PromptRequest request, int deliveryCount) {
    sent.put(request.getRequestId(), request);
    return deliver(request.getRequestId(), deliveryCount);
  }

  private long deliver(String value, int deliveryCount) {
    return deliver(value, deliveryCount, Lane.INTERACTIVE);
  }

  private long deliver(String value, int deliveryCount, Lane lane) {
    long ticket = nextTicket++;
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    source.sink.accept(
        new Delivery(
            new ConsumerRecord<>("requests", 0, ticket, bytes, bytes),
            deliveryCount,
            ticket,
            lane));
    return ticket;
  }

  private Run submitted() {
    return scheduler.expectMessageClass(StepScheduler.Submit.class).run();
  }

  private void durable(Run run) {
    intake.tell(
        new RequestIntake.PublisherHeard(
            new ActivationPublisher.Durable(run.requestId(), run.attemptId())));
  }

  private void fail(Run run) {
    intake.tell(
        new RequestIntake.SchedulerHeard(
            new StepScheduler.AttemptFailed(run.requestId(), run.attemptId(), "broken")));
  }

  private void awaitCompleted(Long... tickets) {
    Await.until(PATIENCE, () -> source.completed.containsAll(List.of(tickets)));
  }

  private CompletionEvent event(String requestId, CompletionType type) {
    return producer.history().stream()
        .filter(record -> record.topic().equals("completions"))
        .map(record -> (CompletionEvent) record.value())
        .filter(e -> e.getRequestId().equals(requestId) && e.getType() == type)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldAcknowledgeOnlyWhenTheEndIsDurable() {
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();
    assertThat(run.attempt().number()).isEqualTo(1);
    assertThat(source.completed).isEmpty();

    durable(run);

    awaitCompleted(ticket);
    assertThat(source.abandoned).isEmpty();
  }

  @Test
  void shouldOnlyAcknowledgeWhenTheRequestHasEndedBefore() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(true, past(1)));

    long ticket = deliver(request, 2);

    awaitCompleted(ticket);
    scheduler.expectNoMessage(Duration.ofMillis(50));
    assertThat(producer.history()).isEmpty();
  }

  @Test
  void shouldCountEarlierAttemptsWhenARequestIsDeliveredAgain() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(false, past(2)));

    deliver(request, 3);

    Run run = submitted();
    assertThat(run.attempt().number()).isEqualTo(3);
    assertThat(run.last()).isTrue();
  }

  @Test
  void shouldGiveUpBeforeRunningWhenAllAttemptsAreUsed() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(false, past(3)));

    long ticket = deliver(request, 4);

    awaitCompleted(ticket);
    assertGivenUp(request);
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getAttempts()).isEqualTo(3);
    assertThat(letter.getFailure().getMessage())
        .contains("attempt-1 on worker elsewhere: never ended", "attempt-2 on", "attempt-3 on");
  }

  @Test
  void shouldGiveUpBeforeRunningWhenTheBrokerIsAboutToDropTheRecord() {
    PromptRequest request = Traffic.request("abc", 3);

    long ticket = deliver(request, 9);

    awaitCompleted(ticket);
    assertGivenUp(request);
  }

  private static List<PastAttempt> past(int attempts) {
    return IntStream.rangeClosed(1, attempts)
        .mapToObj(i -> new PastAttempt("attempt-" + i, "elsewhere", ""))
        .toList();
  }

  private void assertGivenUp(PromptRequest request) {
    scheduler.expectNoMessage(Duration.ofMillis(30));
    assertThat(producer.history())
        .extracting(r -> r.topic())
        .containsExactly("dead-letters", "completions");
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getRequestId()).isEqualTo(request.getRequestId());
    assertThat(event(request.getRequestId(), CompletionType.FAILED).getFailure().getCode())
        .isEqualTo("ATTEMPTS_EXHAUSTED");
  }

  @Test
  void shouldHoldCapturesBackAndRunOthersWhileTheDecoderIsBehind() {
    decoderBehind = true;
    long waiting = deliver(Traffic.request("abc", 3), 1);
    Await.until(PATIENCE, () -> source.parked.contains(waiting));
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 7));
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 8));
    deliver(bare(), 1);
    Run other = submitted();
    assertThat(other.request().capture().isEmpty()).isTrue();
    intake.tell(new RequestIntake.DecoderMoved());
    scheduler.expectNoMessage(Duration.ofMillis(50));

    decoderBehind = false;
    intake.tell(new RequestIntake.DecoderMoved());

    Run run = submitted();
    assertThat(run.request().capture().isEmpty()).isFalse();
    Await.until(PATIENCE, () -> source.parked.isEmpty());
    durable(run);
    awaitCompleted(waiting);
  }

  @Test
  void shouldTakeNoSlotOfTheOthersWhenARequestMayWait() {
    PromptRequest request = Traffic.request("ab", 3);
    sent.put(request.getRequestId(), request);
    deliver(request.getRequestId(), 1, Lane.BATCH);

    assertThat(submitted().lane()).isEqualTo(Lane.BATCH);
    listener.expectMessage(new RequestIntake.Occupancy(Lane.BATCH, 3));
    deliver(Traffic.request("cd", 3), 1);
    assertThat(submitted().lane()).isEqualTo(Lane.INTERACTIVE);
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 7));
  }

  @Test
  void shouldRefuseWhatCouldNeverJoinInTheBatchLane() {
    PromptRequest request = Traffic.request("a".repeat(60), 10);
    sent.put(request.getRequestId(), request);
    long ticket = deliver(request.getRequestId(), 1, Lane.BATCH);

    awaitCompleted(ticket);
    Failure failure = event(request.getRequestId(), CompletionType.FAILED).getFailure();
    assertThat(failure.getCode()).isEqualTo("TOO_LONG");
    assertThat(failure.getMessage()).contains("80 tokens", "64", "lensflow.worker.batch.kv-share");
    deliver(request, 1);
  }

  @Test
  void shouldHoldSlotsWhenTooManyCapturesWait() {
    decoderBehind = true;
    long first = deliver(Traffic.request("abc", 3), 1);
    long second = deliver(Traffic.request("abd", 3), 1);
    Await.until(PATIENCE, () -> source.parked.size() == 2);
    long third = deliver(Traffic.request("abe", 3), 1);
    deliver(bare(), 1);
    submitted();

    assertThat(source.parked).containsExactlyInAnyOrder(first, second).doesNotContain(third);
  }

  @Test
  void shouldSayWhyWhenTheDeadlinePassesWhileACaptureWaits() {
    decoderBehind = true;
    PromptRequest request =
        Traffic.request("abc", 3, r -> r.setDeadline(Instant.now().plusMillis(300)));

    long ticket = deliver(request, 1);

    awaitCompleted(ticket);
    Failure failure = event(request.getRequestId(), CompletionType.FAILED).getFailure();
    assertThat(failure.getCode()).isEqualTo("DEADLINE_EXCEEDED");
    assertThat(failure.getMessage()).contains("its capture waited (the decoder is behind)");
    assertThat(source.parked).isEmpty();
    scheduler.expectNoMessage(Duration.ofMillis(30));
  }

  @Test
  void shouldStillEndWhenTheClockWasSetBackWhileACaptureWaits() {
    decoderBehind = true;
    PromptRequest request =
        Traffic.request("abc", 3, r -> r.setDeadline(Instant.now().plusMillis(300)));
    long ticket = deliver(request, 1);
    Await.until(PATIENCE, () -> source.parked.contains(ticket));

    clockError = Duration.ofMillis(-400);

    awaitCompleted(ticket);
    assertThat(event(request.getRequestId(), CompletionType.FAILED).getFailure().getCode())
        .isEqualTo("DEADLINE_EXCEEDED");
  }

  @Test
  void shouldCancelAtOnceWhenACaptureWaits() {
    decoderBehind = true;
    PromptRequest request = Traffic.request("abc", 3);
    long ticket = deliver(request, 1);
    Await.until(PATIENCE, () -> source.parked.contains(ticket));

    intake.tell(new RequestIntake.Cancel(request.getRequestId(), "enough"));

    awaitCompleted(ticket);
    assertThat(event(request.getRequestId(), CompletionType.CANCELLED)).isNotNull();
    assertThat(source.parked).isEmpty();
  }

  private static PromptRequest bare() {
    return Traffic.request("xyz", 3, r -> r.getCapture().setHookPoints(List.of()));
  }

  @Test
  void shouldTryAgainAndThenGiveUpWhenAttemptsFail() {
    PromptRequest request = Traffic.request("abc", 3);
    long ticket = deliver(request, 1);
    Run first = submitted();
    fail(first);
    Run second = submitted();
    assertThat(second.attemptId()).isNotEqualTo(first.attemptId());
    fail(first);
    scheduler.expectNoMessage(Duration.ofMillis(30));
    fail(second);
    Run third = submitted();
    assertThat(third.last()).isTrue();
    assertThat(source.completed).isEmpty();

    fail(third);

    awaitCompleted(ticket);
    assertGivenUp(request);
  }

  @Test
  void shouldStayOneRequestWhenItIsDeliveredTwice() {
    PromptRequest request = Traffic.request("abc", 3);
    long first = deliver(request, 1);
    Run run = submitted();
    long second = deliver(request, 1);
    scheduler.expectNoMessage(Duration.ofMillis(30));

    durable(run);

    awaitCompleted(first, second);
  }

  @Test
  void shouldKeepTheRecordWhenItIsNoRequest() {
    long ticket = deliver("nonsense", 1);

    awaitCompleted(ticket);
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getFailure().getMessage()).isEqualTo("no record at all");
  }

  @Test
  void shouldLoseTheAttemptWhenChunksCannotBeWritten() {
    deliver(Traffic.request("abc", 3), 1);
    Run first = submitted();

    intake.tell(
        new RequestIntake.PublisherHeard(
            new ActivationPublisher.ChunksLost(first.requestId(), first.attemptId(), "too large")));

    scheduler.expectMessage(new StepScheduler.Discard(first.attemptId()));
    assertThat(submitted().attempt().number()).isEqualTo(2);
    assertThat(event(first.requestId(), CompletionType.ATTEMPT_FAILED).getAttemptId())
        .isEqualTo(first.attemptId());
  }

  @Test
  void shouldWelcomeNothingWhileTheBufferIsFullOrTheEngineAway() {
    assertThat(source.open).isTrue();
    intake.tell(new RequestIntake.SchedulerHeard(new StepScheduler.Pressure(true)));
    Await.until(PATIENCE, () -> !source.open);
    intake.tell(new RequestIntake.EngineState(false));
    intake.tell(new RequestIntake.SchedulerHeard(new StepScheduler.Pressure(false)));
    intake.tell(new RequestIntake.EngineState(true));
    Await.until(PATIENCE, () -> source.open);
  }

  private static PromptRequest steered() {
    return Traffic.request(
        "abc", 3, r -> r.setSteering(List.of(SteeringRequest.newBuilder().setName("v").build())));
  }

  @Test
  void shouldLetAQuarterOfTheSlotsWaitForVectorsAndFailTheRest() {
    Failure failure = new Failure("STEERING_UNAVAILABLE", "v is not loaded", "steering[0].name");
    answerEverything = new Resolution.Missing(failure);
    Instant start = Instant.now();
    for (int i = 0; i < 3; i++) {
      deliver(steered(), 1);
    }

    // Eight slots: two wait until their time is over, the third, whichever that is, fails at once.
    Await.until(PATIENCE, () -> source.completed.size() == 1);
    assertThat(Duration.between(start, Instant.now())).isLessThan(WAIT);
    Await.until(PATIENCE, () -> source.completed.size() == 3);
    assertThat(Duration.between(start, Instant.now())).isGreaterThanOrEqualTo(WAIT);
    scheduler.expectNoMessage(Duration.ofMillis(30));
  }

  @Test
  void shouldFinishWhatRunsAndTakeNothingMoreWhenItDrains() {
    TestProbe<RequestIntake.Drained> drained = AKKA.createTestProbe();
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();

    intake.tell(new RequestIntake.Drain(Duration.ofSeconds(30), drained.ref()));
    Await.until(PATIENCE, () -> !source.open);
    drained.expectNoMessage(Duration.ofMillis(30));
    durable(run);

    drained.expectMessageClass(RequestIntake.Drained.class);
    assertThat(source.completed).containsExactly(ticket);
  }

  @Test
  void shouldGiveBackWhatStillRunsWhenDrainingTakesTooLong() {
    TestProbe<RequestIntake.Drained> drained = AKKA.createTestProbe();
    long ticket = deliver(Traffic.request("abc", 3), 1);
    Run run = submitted();

    intake.tell(new RequestIntake.Drain(Duration.ofMillis(50), drained.ref()));

    drained.expectMessageClass(RequestIntake.Drained.class);
    scheduler.expectMessage(new StepScheduler.Discard(run.attemptId()));
    assertThat(source.abandoned).containsExactly(ticket);
    assertThat(event(run.requestId(), CompletionType.ATTEMPT_FAILED).getFailure().getCode())
        .isEqualTo("WORKER_STOPPED");
  }
}
