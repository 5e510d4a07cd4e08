package io.lensflow.worker.scheduling;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.Failure;
import io.lensflow.text.Tokenizer;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.publishing.WriteProblem;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.InvalidRequestException;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Continuous batching: sequences join and leave at every step, prompts are read in chunks beside
 * the sequences that generate.
 *
 * <p>One step is in flight at a time. When it is done, tokens are chosen, the next step is sent off
 * at once, and only then is the last one published, so that detokenised text, events and rows are
 * worked on while the device runs.
 *
 * <p>Interactive runs go before those of the batch lane (see {@link StepComposer} and {@link
 * Batch}).
 *
 * <p>Runs that the engine has no room for wait in front of all others until a sequence ends, and
 * nobody overtakes them. A run on its last attempt gets the device for itself ({@link Run#last}).
 */
public final class StepScheduler extends AbstractBehavior<StepScheduler.Command> {
  /** How often deadlines are looked at while no step runs. */
  private static final Duration TICK = Duration.ofMillis(100);

  /** What the scheduler is asked to do. */
  public sealed interface Command {}

  /** Runs a run to its end. */
  public record Submit(Run run) implements Command {}

  /** Ends a run at the next step, as its requester wishes. */
  public record Cancel(String requestId, String reason) implements Command {}

  /**
   * Forgets a run without a terminal event: its attempt has failed elsewhere, or the worker stops.
   */
  public record Discard(String attemptId) implements Command {}

  /** The publisher has finished with an attempt. */
  public record PublisherHeard(ActivationPublisher.Report report) implements Command {}

  /** The group can step. */
  public record GroupUp(EngineInfo engine) implements Command {}

  /** The group restarts; what ran is lost. */
  public record GroupDown(String reason) implements Command {}

  private record Stepped(TensorParallelGroup.StepReply reply) implements Command {}

  private record Credited(long bytes) implements Command {}

  private record Announced(Generation generation, WriteProblem problem) implements Command {}

  private record Tick() implements Command {}

  /** What the intake hears. */
  public sealed interface Report {}

  /** An attempt failed with the engine; the intake decides what follows. */
  public record AttemptFailed(String requestId, String attemptId, String reason)
      implements Report {}

  /** Whether new requests are welcome: false while the publisher's buffer is half full. */
  public record Pressure(boolean high) implements Report {}

  /**
   * What the scheduler works with.
   *
   * @param slots most interactive runs at a time
   * @param batch limits of the batch lane
   * @param prefillTokens most prompt tokens of one step
   * @param wholeChunks whether every prompt is cut at multiples of {@code prefillTokens}, whoever
   *     runs beside it: a deterministic engine needs that for rows that do not depend on others
   * @param prefixShare part of the pool of keys and values that ended sequences may go on holding
   *     while nobody needs it; 0, and whole chunks: no prompt begins with another's tokens
   * @param bufferBytes most bytes of rows that wait for the broker
   * @param completions topic of completion events
   */
  public record Settings(
      int slots,
      BatchLane batch,
      int prefillTokens,
      boolean wholeChunks,
      double prefixShare,
      long bufferBytes,
      String completions) {}

  /** Everybody that the scheduler talks to. */
  public record Partners(
      ActorRef<TensorParallelGroup.Command> group,
      ActorRef<ActivationPublisher.Command> publisher,
      ActorRef<ActivationPublisher.Report> publishReports,
      ActorRef<Report> intake,
      EventLog events) {}

  private final Settings settings;
  private final Partners partners;
  private final RunReporter reporter;
  private final Tokenizer tokenizer;
  private final WorkerMetrics metrics;
  private final InstantSource clock;
  private final StepComposer composer;
  private final ActorRef<TensorParallelGroup.StepReply> stepReplies;
  private final ActorRef<ActivationPublisher.Credit> credits;

  private final Batch batch;

  private EngineInfo engine;
  private boolean engineUp;
  private boolean stepping;
  private boolean pressure;
  private long bufferedBytes;
  private long nextSequence;
  private Instant stepStartedAt;

  /** See {@link Partners} and {@link Settings}; the tokenizer must outlive the actor. */
  public static Behavior<Command> create(
      Settings settings,
      Partners partners,
      CompletionEvents events,
      Tokenizer tokenizer,
      WorkerMetrics metrics,
      InstantSource clock) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers ->
                    new StepScheduler(
                        ctx, timers, settings, partners, events, tokenizer, metrics, clock)));
  }

  private StepScheduler(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Settings settings,
      Partners partners,
      CompletionEvents events,
      Tokenizer tokenizer,
      WorkerMetrics metrics,
      InstantSource clock) {
    super(context);
    this.settings = settings;
    this.partners = partners;
    this.tokenizer = tokenizer;
    this.metrics = metrics;
    this.clock = clock;
    this.batch = new Batch(settings.slots(), settings.batch(), settings.prefixShare());
    this.composer = new StepComposer(settings, batch);
    this.stepReplies = context.messageAdapter(TensorParallelGroup.StepReply.class, Stepped::new);
    this.credits =
        context.messageAdapter(
            ActivationPublisher.Credit.class, credit -> new Credited(credit.bytes()));
    this.reporter =
        new RunReporter(
            settings.completions(),
            events,
            partners.events(),
            partners.publisher(),
            credits,
            clock);
    timers.startTimerWithFixedDelay(new Tick(), TICK);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Submit.class, this::onSubmit)
        .onMessage(Cancel.class, this::onCancel)
        .onMessage(Discard.class, this::onDiscard)
        .onMessage(PublisherHeard.class, this::onPublisherHeard)
        .onMessage(GroupUp.class, this::onGroupUp)
        .onMessage(GroupDown.class, this::onGroupDown)
        .onMessage(Stepped.class, this::onStepped)
        .onMessage(Credited.class, this::onCredited)
        .onMessage(Announced.class, this::onAnnounced)
        .onMessage(Tick.class, this::onTick)
        .build();
  }

  private Behavior<Command> onSubmit(Submit submit) {
    // Nothing is submitted before the engine was up once.
    batch.add(
        new Generation(submit.run(), nextSequence++, tokenizer, engine.config().eosTokenIds()));
    announce();
    partners
        .publisher()
        .tell(
            new ActivationPublisher.Begin(
                submit.run(), engine, credits, partners.publishReports()));
    step();
    return this;
  }

  /**
   * Puts on record which attempts begin, before the step that may break the engine: one that kills
   * the process has to be counted by whoever gets its request next.
   */
  private void announce() {
    for (Generation one : batch.takeUnannounced(clock.instant())) {
      getContext()
          .pipeToSelf(
              reporter.accepted(one.run()), (done, e) -> new Announced(one, WriteProblem.of(e)));
    }
  }

  private Behavior<Command> onCancel(Cancel cancel) {
    if (batch.cancel(cancel.requestId(), cancel.reason())) {
      step();
    }
    return this;
  }

  private Behavior<Command> onDiscard(Discard discard) {
    batch.discard(discard.attemptId());
    reporter.abort(discard.attemptId());
    step();
    return this;
  }

  private Behavior<Command> onPublisherHeard(PublisherHeard heard) {
    batch.settled(heard.report().attemptId());
    step();
    return this;
  }

  private Behavior<Command> onGroupUp(GroupUp up) {
    engine = up.engine();
    engineUp = true;
    batch.kvTokens(engine.kvTokens());
    metrics.freeKvTokens(engine.kvTokens());
    step();
    return this;
  }

  private Behavior<Command> onGroupDown(GroupDown down) {
    engineLost(down.reason());
    return this;
  }

  private Behavior<Command> onCredited(Credited credited) {
    bufferedBytes -= credited.bytes();
    reportBuffer();
    step();
    return this;
  }

  private Behavior<Command> onAnnounced(Announced announced) {
    Generation generation = announced.generation();
    WriteProblem problem = announced.problem();
    generation.announced(problem == null);
    if (problem != null && problem.isTransient()) {
      // The next tick tries again.
      return this;
    }
    if (problem != null && batch.dropWaiting(generation)) {
      reporter.unrecorded(generation, problem);
    }
    step();
    return this;
  }

  private Behavior<Command> onTick(Tick tick) {
    step();
    return this;
  }

  private Behavior<Command> onStepped(Stepped stepped) {
    if (stepped.reply() instanceof TensorParallelGroup.StepFailed failed) {
      engineLost(failed.reason());
      return this;
    }
    StepResult result = ((TensorParallelGroup.StepDone) stepped.reply()).result();
    stepping = false;
    Instant now = clock.instant();
    Duration took = Duration.between(stepStartedAt, now);
    composer.stepped(took);
    metrics.step(composer.lane(), took, result.outputs().size());
    metrics.freeKvTokens(batch.freeTokens(result.freeKvTokens()));
    onRefused(result.refusals());
    List<RunReporter.Moved> moved = new ArrayList<>();
    for (StepResult.Output output : result.outputs()) {
      Generation generation = batch.running(output.sequence());
      if (generation != null) {
        Generation.Progress progress =
            generation.advance(composer.fed(output.sequence()), output, now);
        bufferedBytes += progress.rows().bytes();
        moved.add(new RunReporter.Moved(generation, progress));
        if (generation.isFinished()) {
          batch.leave(generation);
        }
      }
    }
    List<Batch.Stopped> stopped = sendOff();
    reporter.moved(moved);
    stopped.forEach(reporter::stopped);
    metrics.tokens(moved.stream().filter(one -> one.progress().token() != null).count());
    reportBuffer();
    return this;
  }

  private void onRefused(List<StepResult.Refusal> refusals) {
    Map<Generation, StepResult.Refusal> shortages = new LinkedHashMap<>();
    for (StepResult.Refusal refusal : refusals) {
      Generation generation = batch.running(refusal.sequence());
      if (generation != null && refusal.transientShortage()) {
        shortages.put(generation, refusal);
      } else if (generation != null) {
        batch.drop(generation);
        fail(generation, InvalidRequestException.INVALID_REQUEST, refusal);
      }
    }
    for (Generation generation : batch.waitForRoom(List.copyOf(shortages.keySet()))) {
      fail(generation, InvalidRequestException.TOO_LONG, shortages.get(generation));
    }
  }

  private void fail(Generation generation, String code, StepResult.Refusal refusal) {
    reporter.failed(generation, new Failure(code, refusal.reason(), null));
  }

  /** Goes on, where all that the last step gave is published. */
  private void step() {
    sendOff().forEach(reporter::stopped);
  }

  /**
   * Sends off the next step, if there is one and nothing is in its way.
   *
   * @return runs that were stopped before it: they are to end behind what the last one gave them
   */
  private List<Batch.Stopped> sendOff() {
    if (stepping) {
      return List.of();
    }
    List<Batch.Stopped> stopped = batch.takeStopped(clock.instant());
    announce();
    if (engineUp) {
      StepPlan plan = composer.compose(engine, bufferedBytes, clock.instant());
      metrics.sequences(batch.running().size(), batch.waitingCount());
      if (!plan.isEmpty()) {
        stepping = true;
        metrics.sharedTokens(plan.sharedTokens());
        stepStartedAt = clock.instant();
        partners.group().tell(new TensorParallelGroup.RunStep(plan, stepReplies));
      }
    }
    return stopped;
  }

  /** All sequences are gone: their attempts have failed. */
  private void engineLost(String reason) {
    if (!engineUp) {
      return;
    }
    engineUp = false;
    stepping = false;
    for (Generation generation : batch.takeLost()) {
      Run run = generation.run();
      reporter.attemptFailed(run, reason);
      partners.intake().tell(new AttemptFailed(run.requestId(), run.attemptId(), reason));
    }
  }

  /** Says how full the publisher's buffer is. */
  private void reportBuffer() {
    metrics.bufferedBytes(bufferedBytes);
    boolean high = bufferedBytes > settings.bufferBytes() / 2;
    if (high != pressure) {
      pressure = high;
      partners.intake().tell(new Pressure(high));
    }
  }
}
