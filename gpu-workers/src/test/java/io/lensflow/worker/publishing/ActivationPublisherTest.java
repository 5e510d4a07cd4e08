package io.lensflow.worker.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import io.lensflow.engine.DType;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.FinishReason;
import io.lensflow.records.Finished;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Run;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The publisher with producers whose acknowledgements the test gives. */
class ActivationPublisherTest {
  private static final ActorTestKit AKKA = ActorTestKit.create();
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final EngineInfo engine = Runs.engine(2, 4);
  private final MockProducer<String, SpecificRecord> chunks = producer();
  private final MockProducer<String, SpecificRecord> events = producer();
  private final TestProbe<ActivationPublisher.Credit> credits = AKKA.createTestProbe();
  private final TestProbe<ActivationPublisher.Report> reports = AKKA.createTestProbe();
  private final CompletionEvents made = new CompletionEvents(Runs.identity(), Instant::now);
  private final Run run = Runs.run(engine, Traffic.request("abc", 2));
  private ActorRef<ActivationPublisher.Command> publisher;

  private static MockProducer<String, SpecificRecord> producer() {
    Serializer<SpecificRecord> noBytes = (topic, record) -> new byte[0];
    return new MockProducer<>(false, new RoundRobinPartitioner(), new StringSerializer(), noBytes);
  }

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    publisher =
        AKKA.spawn(
            ActivationPublisher.create(
                chunks,
                new EventLog(events),
                Runs.identity(),
                new WorkerMetrics(new SimpleMeterRegistry()),
                Instant::now,
                new ActivationPublisher.Settings(
                    "activations",
                    "completions",
                    new ChunkLimits(100_000, 100, Duration.ofMillis(20)))));
    publisher.tell(new ActivationPublisher.Begin(run, engine, credits.ref(), reports.ref()));
  }

  private void rows(int first, int count) {
    int[] positions = IntStream.range(first, first + count).toArray();
    CapturedRows rows =
        new CapturedRows(
            HookPoint.RESIDUAL_POST,
            new int[] {0, 1},
            positions,
            DType.FLOAT32,
            4,
            ByteBuffer.allocate(2 * count * 4 * Float.BYTES));
    HeadSummary head = HeadSummary.of(new float[257]);
    StepRows step = new StepRows(first, new int[count], 9, head, List.of(rows), null);
    publisher.tell(
        new ActivationPublisher.Rows(
            List.of(new ActivationPublisher.RunRows(run.attemptId(), step)), credits.ref()));
  }

  private void finish() {
    finish(CompletableFuture.completedFuture(null));
  }

  private void finish(CompletableFuture<Void> tokens) {
    Finished finished =
        Finished.newBuilder().setReason(FinishReason.MAX_NEW_TOKENS).setText("de").build();
    publisher.tell(
        new ActivationPublisher.Finish(
            run.attemptId(), made.finished(run, finished), Instant.now().minusSeconds(1), tokens));
  }

  private void awaitChunks(int count) {
    Await.until(PATIENCE, () -> chunks.history().size() == count);
  }

  @Test
  void shouldWriteTheTerminalEventOnlyWhenEveryChunkIsAcknowledged() {
    rows(0, 3);
    awaitChunks(1);
    rows(3, 1);
    finish();
    awaitChunks(2);
    assertThat(chunks.completeNext()).isTrue();
    credits.expectMessage(new ActivationPublisher.Credit(3 * 2 * 4 * Float.BYTES));
    assertThat(events.history()).isEmpty();

    assertThat(chunks.completeNext()).isTrue();

    Await.until(PATIENCE, () -> events.history().size() == 1);
    reports.expectNoMessage(Duration.ofMillis(30));
    assertThat(events.completeNext()).isTrue();
    reports.expectMessage(new ActivationPublisher.Durable(run.requestId(), run.attemptId()));
    CompletionEvent end = (CompletionEvent) events.history().get(0).value();
    assertThat(end.getFinished().getChunks()).isEqualTo(2);
    assertThat(end.getFinished().getRows()).isEqualTo(4);
    assertThat(end.getFinished().getTimings().getTotalMicros()).isGreaterThan(900_000);
    assertThat(chunks.history().get(0).key()).isEqualTo(run.requestId());
    assertThat(LensflowHeaders.get(chunks.history().get(0).headers(), LensflowHeaders.TYPE))
        .contains("ActivationChunk");
  }

  @Test
  void shouldWriteTheTerminalEventOnlyWhenEveryTokenIsAcknowledged() {
    CompletableFuture<Void> tokens = new CompletableFuture<>();
    rows(0, 3);
    finish(tokens);
    awaitChunks(1);
    assertThat(chunks.completeNext()).isTrue();
    credits.receiveMessage(PATIENCE);
    assertThat(events.history()).isEmpty();

    tokens.complete(null);

    Await.until(PATIENCE, () -> events.history().size() == 1);
  }

  @Test
  void shouldFailTheAttemptWhenATokenCannotBeWritten() {
    CompletableFuture<Void> tokens = new CompletableFuture<>();
    finish(tokens);

    tokens.completeExceptionally(new TimeoutException("no broker"));

    ActivationPublisher.ChunksLost lost =
        reports.expectMessageClass(ActivationPublisher.ChunksLost.class);
    assertThat(lost.reason()).contains("no broker");
    assertThat(events.history()).isEmpty();
  }

  @Test
  void shouldSendRowsThatHaveWaitedWhenNothingElseComes() {
    rows(0, 3);
    awaitChunks(1);

    rows(3, 1);

    awaitChunks(2);
    assertThat(((ActivationChunk) chunks.history().get(1).value()).getPositions())
        .containsExactly(3);
  }

  @Test
  void shouldReportTheAttemptLostWhenAChunkCannotBeWritten() {
    rows(0, 3);
    awaitChunks(1);
    rows(3, 1);

    assertThat(chunks.errorNext(new RecordTooLargeException("too large"))).isTrue();

    ActivationPublisher.ChunksLost lost =
        reports.expectMessageClass(ActivationPublisher.ChunksLost.class);
    assertThat(lost.attemptId()).isEqualTo(run.attemptId());
    assertThat(lost.reason()).contains("too large");
    // Whatever was held of the run is given back, and what comes later too.
    long freed = 0;
    while (freed < 4 * 2 * 4 * Float.BYTES) {
      freed += credits.receiveMessage().bytes();
    }
    assertThat(freed).isEqualTo(4 * 2 * 4 * Float.BYTES);
    rows(4, 1);
    assertThat(credits.receiveMessage().bytes()).isEqualTo(2 * 4 * Float.BYTES);
    finish();
    reports.expectNoMessage(Duration.ofMillis(30));
    assertThat(events.history()).isEmpty();
  }

  @Test
  void shouldWriteTheTerminalEventAgainWhenTheBrokerWasAway() {
    finish();
    Await.until(PATIENCE, () -> events.history().size() == 1);

    assertThat(events.errorNext(new TimeoutException("no broker"))).isTrue();

    Await.until(PATIENCE, () -> events.history().size() == 2);
    assertThat(events.completeNext()).isTrue();
    reports.expectMessage(new ActivationPublisher.Durable(run.requestId(), run.attemptId()));
  }

  @Test
  void shouldForgetARunWhenItIsAborted() {
    rows(0, 3);
    awaitChunks(1);

    publisher.tell(new ActivationPublisher.Abort(run.attemptId()));
    finish();

    credits.expectMessage(new ActivationPublisher.Credit(3 * 2 * 4 * Float.BYTES));
    assertThat(chunks.completeNext()).isTrue();
    reports.expectNoMessage(Duration.ofMillis(30));
    credits.expectNoMessage();
    assertThat(events.history()).isEmpty();
  }
}
