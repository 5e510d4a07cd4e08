package io.lensflow.worker.publishing;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Finished;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;

/**
 * Publishes the captured rows of all runs as chunks while they run, and their terminal events after
 * the broker has acknowledged every chunk and every other event.
 *
 * <p>What it holds is bounded from outside: the scheduler counts the bytes that it sent and those
 * that came back as {@link Credit} once the broker has them, and stops at the limit. Runs on a
 * thread of its own, because a producer may block.
 */
public final class ActivationPublisher extends AbstractBehavior<ActivationPublisher.Command> {
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What the publisher is asked to do. */
  public sealed interface Command {}

  /** Announces a run. */
  public record Begin(
      Run run, EngineInfo engine, ActorRef<Credit> credits, ActorRef<Report> reports)
      implements Command {}

  /**
   * The rows of one step, of all its runs: one message, since each wakes the publisher's thread,
   * which takes a processor from the step that runs by then. Their bytes come back as credit, also
   * if a run is gone.
   */
  public record Rows(List<RunRows> runs, ActorRef<Credit> credits) implements Command {}

  /** What one run captured in a step. */
  public record RunRows(String attemptId, StepRows rows) {}

  /**
   * A run has ended: publishes what is left, then the event, completed with the counts of chunks
   * and rows. The publisher owns the event from now on.
   *
   * @param admittedAt when the run was admitted, for its timings
   * @param events completes when the broker has the run's events so far, exceptionally if one never
   *     will be there
   */
  public record Finish(
      String attemptId, CompletionEvent terminal, Instant admittedAt, CompletionStage<Void> events)
      implements Command {}

  /** A run is given up without a terminal event: drops what was not sent yet. */
  public record Abort(String attemptId) implements Command {}

  /** Bytes of rows that the publisher no longer holds. */
  public record Credit(long bytes) {}

  /** What became of a run's records. */
  public sealed interface Report {
    String requestId();

    String attemptId();
  }

  /** Every chunk and the terminal event are acknowledged. */
  public record Durable(String requestId, String attemptId) implements Report {}

  /** Chunks or tokens could not be written: the attempt has failed. */
  public record ChunksLost(String requestId, String attemptId, String reason) implements Report {}

  /** The terminal event could not be written: the request must stay in its queue. */
  public record TerminalLost(String requestId, String attemptId, String reason) implements Report {}

  private record ChunkSent(String attemptId, long heldBytes, WriteProblem problem)
      implements Command {}

  private record EventsWritten(String attemptId, WriteProblem problem) implements Command {}

  private record TerminalSent(String attemptId, WriteProblem problem) implements Command {}

  private record RetryTerminal(String attemptId) implements Command {}

  private record Tick() implements Command {}

  /** Topics and limits. */
  public record Settings(String activations, String completions, ChunkLimits limits) {}

  /** A run that is being published. */
  private static final class Stream {
    private final Begin begin;
    private final ChunkAssembler assembler;
    private long received;
    private long freed;
    private int unacknowledged;
    private boolean eventsWritten;
    private Finish finish;

    private Stream(Begin begin, ChunkAssembler assembler) {
      this.begin = begin;
      this.assembler = assembler;
    }
  }

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final Producer<String, SpecificRecord> producer;
  private final EventLog events;
  private final WorkerIdentity identity;
  private final WorkerMetrics metrics;
  private final InstantSource clock;
  private final Settings settings;
  private final PayloadScratch scratch = new PayloadScratch();
  private final Map<String, Stream> streams = new HashMap<>();

  /**
   * @param producer idempotent; for chunks only, so that tokens never wait behind them
   * @param events writes terminal events
   */
  public static Behavior<Command> create(
      Producer<String, SpecificRecord> producer,
      EventLog events,
      WorkerIdentity identity,
      WorkerMetrics metrics,
      InstantSource clock,
      Settings settings) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers ->
                    new ActivationPublisher(
                        ctx, timers, producer, events, identity, metrics, clock, settings)));
  }

  private ActivationPublisher(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Producer<String, SpecificRecord> producer,
      EventLog events,
      WorkerIdentity identity,
      WorkerMetrics metrics,
      InstantSource clock,
      Settings settings) {
    super(context);
    this.log = context.getLog();
    this.timers = timers;
    this.producer = producer;
    this.events = events;
    this.identity = identity;
    this.metrics = metrics;
    this.clock = clock;
    this.settings = settings;
    Duration interval = settings.limits().flushInterval().dividedBy(2);
    timers.startTimerWithFixedDelay(new Tick(), interval);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::onBegin)
        .onMessage(Rows.class, this::onRows)
        .onMessage(Finish.class, this::onFinish)
        .onMessage(Abort.class, this::onAbort)
        .onMessage(ChunkSent.class, this::onChunkSent)
        .onMessage(EventsWritten.class, this::onEventsWritten)
        .onMessage(TerminalSent.class, this::onTerminalSent)
        .onMessage(RetryTerminal.class, this::onRetryTerminal)
        .onMessage(Tick.class, this::onTick)
        .build();
  }

  private Behavior<Command> onBegin(Begin begin) {
    ChunkAssembler assembler =
        new ChunkAssembler(
            begin.run(), identity, begin.engine(), settings.limits(), scratch, clock);
    streams.put(begin.run().attemptId(), new Stream(begin, assembler));
    return this;
  }

  private Behavior<Command> onRows(Rows rows) {
    for (RunRows one : rows.runs()) {
      Stream stream = streams.get(one.attemptId());
      if (stream == null) {
        rows.credits().tell(new Credit(one.rows().bytes()));
      } else {
        stream.received += one.rows().bytes();
        stream.assembler.add(one.rows(), chunk -> send(stream, chunk));
      }
    }
    return this;
  }

  private Behavior<Command> onFinish(Finish finish) {
    Stream stream = streams.get(finish.attemptId());
    if (stream != null) {
      stream.finish = finish;
      stream.assembler.flush(chunk -> send(stream, chunk));
      getContext()
          .pipeToSelf(
              finish.events(),
              (done, e) -> new EventsWritten(finish.attemptId(), WriteProblem.of(e)));
    }
    return this;
  }

  /** A producer that gave up a token's event may well write the end after it. */
  private Behavior<Command> onEventsWritten(EventsWritten written) {
    Stream stream = streams.get(written.attemptId());
    if (stream != null && written.problem() != null) {
      lose(stream, "an event", written.problem());
    } else if (stream != null) {
      stream.eventsWritten = true;
      finishIfDone(stream);
    }
    return this;
  }

  private Behavior<Command> onAbort(Abort abort) {
    Stream stream = streams.get(abort.attemptId());
    if (stream != null) {
      drop(stream);
    }
    return this;
  }

  private Behavior<Command> onTick(Tick tick) {
    Instant now = clock.instant();
    for (Stream stream : streams.values()) {
      if (stream.assembler.isDue(now)) {
        stream.assembler.flush(chunk -> send(stream, chunk));
      }
    }
    return this;
  }

  /** Hands a chunk over to the producer, which serialises it before it returns. */
  private void send(Stream stream, ChunkAssembler.Chunk chunk) {
    Run run = stream.begin.run();
    String attemptId = run.attemptId();
    stream.unacknowledged++;
    metrics.chunk(chunk.record().getPayload().remaining(), chunk.record().getPositions().size());
    ActorRef<Command> self = getContext().getSelf();
    try {
      producer.send(
          LensflowHeaders.record(
              settings.activations(), run.requestId(), chunk.record(), run.request().traceparent()),
          (metadata, e) ->
              self.tell(new ChunkSent(attemptId, chunk.heldBytes(), WriteProblem.of(e))));
    } catch (RuntimeException e) {
      self.tell(new ChunkSent(attemptId, chunk.heldBytes(), WriteProblem.of(e)));
    }
  }

  private Behavior<Command> onChunkSent(ChunkSent sent) {
    Stream stream = streams.get(sent.attemptId());
    if (stream == null) {
      // Its run was dropped, and all of its bytes given back, before the broker answered.
      return this;
    }
    stream.unacknowledged--;
    free(stream, sent.heldBytes());
    if (sent.problem() != null) {
      lose(stream, "a chunk", sent.problem());
    } else {
      finishIfDone(stream);
    }
    return this;
  }

  private void lose(Stream stream, String what, WriteProblem problem) {
    Run run = stream.begin.run();
    log.warn(
        "request={} attempt={} {} was not written: {}",
        run.requestId(),
        run.attemptId(),
        what,
        problem);
    drop(stream);
    stream
        .begin
        .reports()
        .tell(new ChunksLost(run.requestId(), run.attemptId(), problem.toString()));
  }

  private void finishIfDone(Stream stream) {
    if (!stream.eventsWritten || stream.unacknowledged > 0) {
      return;
    }
    Run run = stream.begin.run();
    CompletionEvent terminal = stream.finish.terminal();
    complete(terminal.getFinished(), stream);
    terminal.setProducedAt(clock.instant());
    String attemptId = run.attemptId();
    getContext()
        .pipeToSelf(
            events.publish(
                settings.completions(), run.requestId(), terminal, run.request().traceparent()),
            (done, e) -> new TerminalSent(attemptId, WriteProblem.of(e)));
  }

  private void complete(Finished finished, Stream stream) {
    if (finished != null) {
      finished.setChunks(stream.assembler.chunks());
      finished.setRows(stream.assembler.rows());
      finished
          .getTimings()
          .setTotalMicros(
              Duration.between(stream.finish.admittedAt(), clock.instant()).toNanos() / 1_000);
    }
  }

  private Behavior<Command> onTerminalSent(TerminalSent sent) {
    Stream stream = streams.get(sent.attemptId());
    if (stream == null) {
      return this;
    }
    Run run = stream.begin.run();
    WriteProblem problem = sent.problem();
    if (problem != null && problem.isTransient()) {
      // A broker out of reach: the request keeps its place in its queue, and its end is written
      // later.
      log.warn("request={} terminal event waits: {}", run.requestId(), problem);
      timers.startSingleTimer(new RetryTerminal(sent.attemptId()), RETRY);
      return this;
    }
    drop(stream);
    stream
        .begin
        .reports()
        .tell(
            problem == null
                ? new Durable(run.requestId(), run.attemptId())
                : new TerminalLost(run.requestId(), run.attemptId(), problem.toString()));
    return this;
  }

  private Behavior<Command> onRetryTerminal(RetryTerminal retry) {
    Stream stream = streams.get(retry.attemptId());
    if (stream != null) {
      finishIfDone(stream);
    }
    return this;
  }

  private void drop(Stream stream) {
    streams.remove(stream.begin.run().attemptId());
    free(stream, stream.received - stream.freed);
  }

  private void free(Stream stream, long bytes) {
    if (bytes > 0) {
      stream.freed += bytes;
      stream.begin.credits().tell(new Credit(bytes));
    }
  }
}
