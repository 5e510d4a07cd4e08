package io.lensflow.worker.intake;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The intake with a source, a history, a scheduler and a table that the test plays. */
abstract class IntakeStage {
  static final Duration PATIENCE = Duration.ofSeconds(10);
  static final Duration WAIT = Duration.ofSeconds(3);

  static ActorTestKit akka;

  private final EngineInfo engine = Runs.engine(4, 8);
  final FakeSource source = new FakeSource();
  final Map<String, RequestHistory> histories = new HashMap<>();
  final Map<String, PromptRequest> sent = new ConcurrentHashMap<>();
  final TestProbe<StepScheduler.Command> scheduler = akka.createTestProbe();
  final TestProbe<RequestIntake.Event> listener = akka.createTestProbe();
  private final Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];
  final MockProducer<String, SpecificRecord> producer =
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
  volatile boolean decoderBehind;

  /** By how much the worker's clock is ahead. */
  volatile Duration clockError = Duration.ZERO;

  ActorRef<RequestIntake.Command> intake;

  /** What the steering table answers. */
  volatile Resolution answerEverything = new Resolution.Pinned(PinnedSteering.NONE);

  private long nextTicket;

  /** Hands over what the test delivers, and keeps what becomes of it. */
  static final class FakeSource implements RequestSource {
    final List<Long> completed = new CopyOnWriteArrayList<>();
    final List<Long> abandoned = new CopyOnWriteArrayList<>();
    final Set<Long> parked = ConcurrentHashMap.newKeySet();
    volatile boolean open;
    volatile Consumer<Delivery> sink;

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
    EventLog log = new EventLog(producer);
    intake =
        akka.spawn(
            RequestIntake.create(
                new IntakeSettings(8, 4, 3, Duration.ofMinutes(5), WAIT, 2),
                new RequestIntake.Partners(
                    source,
                    history,
                    new IntakeRecords(log, "completions", "dead-letters"),
                    deserializer,
                    new RequestValidator("scripted", engine, Runs.TOKENIZER),
                    new CompletionEvents(Runs.identity(), Instant::now),
                    akka.spawn(Behaviors.receiveMessage(this::onTable)),
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

  /** Delivers a request to the interactive lane; gives the ticket of that. */
  long deliver(PromptRequest request, int deliveryCount) {
    sent.put(request.getRequestId(), request);
    return deliver(request.getRequestId(), deliveryCount);
  }

  long deliver(String value, int deliveryCount) {
    return deliver(value, deliveryCount, Lane.INTERACTIVE);
  }

  long deliver(String value, int deliveryCount, Lane lane) {
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

  /** The run that the scheduler gets next. */
  Run submitted() {
    return scheduler.expectMessageClass(StepScheduler.Submit.class).run();
  }

  /** The run's end and chunks are with the broker. */
  void durable(Run run) {
    intake.tell(
        new RequestIntake.PublisherHeard(
            new ActivationPublisher.Durable(run.requestId(), run.attemptId())));
  }

  void awaitCompleted(Long... tickets) {
    Await.until(PATIENCE, () -> source.completed.containsAll(List.of(tickets)));
  }

  /** What was said of a request, by its type. */
  CompletionEvent event(String requestId, CompletionType type) {
    return producer.history().stream()
        .filter(record -> record.topic().equals("completions"))
        .map(record -> (CompletionEvent) record.value())
        .filter(e -> e.getRequestId().equals(requestId) && e.getType() == type)
        .findFirst()
        .orElseThrow();
  }

  /** Attempts of another worker that never ended. */
  static List<PastAttempt> past(int attempts) {
    return IntStream.rangeClosed(1, attempts)
        .mapToObj(i -> new PastAttempt("attempt-" + i, "elsewhere", ""))
        .toList();
  }
}
