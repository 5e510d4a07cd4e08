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
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.ranks.StepResult;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Continuous batching: sequences join and leave at every step, prompts are read in chunks beside
 * the sequences that generate.
 *
 * <p>One step is in flight at a time. When it is done, tokens are chosen, the next step is sent off
 * at once, and only then is the last one published, so that detokenised text, events and rows are
 * worked on while the device runs.
 *
 * <p>Runs that the engine has no room for wait in front of all others until a sequence ends. A run
 * on its last attempt gets the device for itself ({@link Run#last}).
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

  /** The group can step. */
  public record GroupUp(EngineInfo engine) implements Command {}

  /** The group restarts; what ran is lost. */
  public record GroupDown(String reason) implements Command {}

  private record Stepped(TensorParallelGroup.StepReply reply) implements Command {}

  private record Credited(long bytes) implements Command {}

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
   * @param slots most runs at a time
   * @param prefillTokens most prompt tokens of one step
   * @param bufferBytes most bytes of rows that wait for the broker
   * @param completions topic of completion events
   */
  public record Settings(int slots, int prefillTokens, long bufferBytes, String completions) {}

  /** Everybody that the scheduler talks to. */
  public record Partners(
      ActorRef<TensorParallelGroup.Command> group,
      ActorRef<ActivationPublisher.Command> publisher,
      ActorRef<ActivationPublisher.Report> publishReports,
      ActorRef<Report> intake,
      EventLog events) {}

  private record Publication(Generation generation, Generation.Progress progress) {}

  private final Settings settings;
  private final Partners partners;
  private final RunReporter reporter;
  private final Tokenizer tokenizer;
  private final WorkerMetrics metrics;
  private final InstantSource clock;
  private final StepPlanner planner;
  private final ActorRef<TensorParallelGroup.StepReply> stepReplies;
  private final ActorRef<ActivationPublisher.Credit> credits;

  private final Deque<Generation> waiting = new ArrayDeque<>();
  private final Map<Long, Generation> running = new LinkedHashMap<>();
  private final Map<String, String> cancelled = new HashMap<>();
  private final List<Long> toClose = new ArrayList<>();
  private final Map<Long, StepPlan.Feed> inFlight = new HashMap<>();

  private EngineInfo engine;
  private boolean engineUp;
  private boolean stepping;
  private boolean noRoom;
  private boolean pressure;
  private long bufferedBytes;
  private long nextSequence;
  private long nextStep;
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
    this.planner = new StepPlanner(settings.prefillTokens());
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
        .onMessage(GroupUp.class, this::onGroupUp)
        .onMessage(GroupDown.class, this::onGroupDown)
        .onMessage(Stepped.class, this::onStepped)
        .onMessage(Credited.class, this::onCredited)
        .onMessage(Tick.class, this::onTick)
        .build();
  }

  private Behavior<Command> onSubmit(Submit submit) {
    // Nothing is submitted before the engine was up once.
    waiting.add(
        new Generation(submit.run(), nextSequence++, tokenizer, engine.config().eosTokenIds()));
    partners
        .publisher()
        .tell(
            new ActivationPublisher.Begin(
                submit.run(), engine, credits, partners.publishReports()));
    step();
    return this;
  }

  private Behavior<Command> onCancel(Cancel cancel) {
    boolean mine =
        Stream.concat(waiting.stream(), running.values().stream())
            .anyMatch(g -> g.run().requestId().equals(cancel.requestId()));
    if (mine) {
      cancelled.put(cancel.requestId(), cancel.reason());
      step();
    }
    return this;
  }

  private Behavior<Command> onDiscard(Discard discard) {
    waiting.removeIf(g -> g.run().attemptId().equals(discard.attemptId()));
    for (Generation generation : List.copyOf(running.values())) {
      if (generation.run().attemptId().equals(discard.attemptId())) {
        leave(generation);
      }
    }
    reporter.abort(discard.attemptId());
    step();
    return this;
  }

  private Behavior<Command> onGroupUp(GroupUp up) {
    engine = up.engine();
    engineUp = true;
    step();
    return this;
  }

  private Behavior<Command> onGroupDown(GroupDown down) {
    engineLost(down.reason());
    return this;
  }

  private Behavior<Command> onCredited(Credited credited) {
    bufferedBytes -= credited.bytes();
    metrics.bufferedBytes(bufferedBytes);
    reportPressure();
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
    metrics.step(Duration.between(stepStartedAt, now), result.outputs().size());
    result.refusals().forEach(this::onRefused);
    noRoom &= !running.isEmpty();
    List<Publication> publications = new ArrayList<>();
    for (StepResult.Output output : result.outputs()) {
      Generation generation = running.get(output.sequence());
      if (generation != null) {
        Generation.Progress progress =
            generation.advance(inFlight.get(output.sequence()), output, now);
        bufferedBytes += progress.rows().bytes();
        publications.add(new Publication(generation, progress));
        if (generation.isFinished()) {
          leave(generation);
        }
      }
    }
    inFlight.clear();
    step();
    for (Publication one : publications) {
      reporter.progress(one.generation(), one.progress());
    }
    metrics.tokens(publications.stream().filter(p -> p.progress().token() != null).count());
    metrics.bufferedBytes(bufferedBytes);
    reportPressure();
    return this;
  }

  private void onRefused(StepResult.Refusal refusal) {
    Generation generation = running.remove(refusal.sequence());
    if (generation == null) {
      return;
    }
    if (refusal.transientShortage() && !running.isEmpty()) {
      noRoom = true;
      waiting.addFirst(generation);
      return;
    }
    String code = refusal.transientShortage() ? "TOO_LONG" : "INVALID_REQUEST";
    reporter.failed(generation, new Failure(code, refusal.reason(), null));
  }

  /** Sends off the next step, if there is one and nothing is in its way. */
  private void step() {
    if (stepping) {
      return;
    }
    endEarly(waiting.iterator());
    if (!engineUp) {
      return;
    }
    endEarly(List.copyOf(running.values()).iterator());
    List<Generation> joining = admit();
    List<StepPlanner.Candidate> candidates = new ArrayList<>();
    running.values().forEach(g -> candidates.add(candidate(g)));
    joining.forEach(g -> candidates.add(candidate(g)));
    List<StepPlanner.Planned> planned =
        planner.plan(candidates, settings.bufferBytes() - bufferedBytes, bufferedBytes == 0);
    List<StepPlan.Open> open = new ArrayList<>();
    List<StepPlan.Feed> feeds = new ArrayList<>();
    for (StepPlanner.Planned one : planned) {
      feeds.add(one.feed());
      inFlight.put(one.generation().sequence(), one.feed());
      if (joining.remove(one.generation())) {
        join(one.generation());
        open.add(one.generation().open());
      }
    }
    // Who found no place in this step goes back in front, in the old order.
    for (int i = joining.size() - 1; i >= 0; i--) {
      waiting.addFirst(joining.get(i));
    }
    StepPlan plan = new StepPlan(nextStep, toClose, open, feeds);
    metrics.sequences(running.size(), waiting.size());
    if (plan.isEmpty()) {
      return;
    }
    nextStep++;
    toClose.clear();
    stepping = true;
    stepStartedAt = clock.instant();
    partners.group().tell(new TensorParallelGroup.RunStep(plan, stepReplies));
  }

  private StepPlanner.Candidate candidate(Generation generation) {
    return new StepPlanner.Candidate(
        generation,
        generation
            .run()
            .request()
            .capture()
            .bytesPerPosition(engine.config().hiddenSize(), engine.dtype()));
  }

  /** Takes from the waiting what may join now. */
  private List<Generation> admit() {
    List<Generation> joining = new ArrayList<>();
    boolean alone = running.values().stream().anyMatch(g -> g.run().last());
    while (!waiting.isEmpty() && !alone && !noRoom) {
      Generation next = waiting.peek();
      int active = running.size() + joining.size();
      if (active >= settings.slots() || (next.run().last() && active > 0)) {
        break;
      }
      alone = next.run().last();
      joining.add(waiting.remove());
    }
    return joining;
  }

  private void join(Generation generation) {
    running.put(generation.sequence(), generation);
    if (generation.admittedAt() == null) {
      generation.admitted(clock.instant());
      reporter.accepted(generation.run());
    }
  }

  private void leave(Generation generation) {
    running.remove(generation.sequence());
    toClose.add(generation.sequence());
    noRoom = false;
  }

  /** Ends what was cancelled and what has passed its deadline. */
  private void endEarly(Iterator<Generation> generations) {
    Instant now = clock.instant();
    while (generations.hasNext()) {
      Generation generation = generations.next();
      Run run = generation.run();
      String reason = cancelled.remove(run.requestId());
      boolean late = now.isAfter(run.request().deadline());
      if (reason == null && !late) {
        continue;
      }
      if (running.containsKey(generation.sequence())) {
        leave(generation);
      } else {
        generations.remove();
      }
      if (reason != null) {
        reporter.cancelled(generation, reason);
      } else {
        reporter.late(generation);
      }
    }
  }

  /** All sequences are gone: their attempts have failed. */
  private void engineLost(String reason) {
    if (!engineUp) {
      return;
    }
    engineUp = false;
    stepping = false;
    noRoom = false;
    inFlight.clear();
    toClose.clear();
    for (Generation generation : running.values()) {
      Run run = generation.run();
      reporter.attemptFailed(run, reason);
      partners.intake().tell(new AttemptFailed(run.requestId(), run.attemptId(), reason));
    }
    running.clear();
  }

  private void reportPressure() {
    boolean high = bufferedBytes > settings.bufferBytes() / 2;
    if (high != pressure) {
      pressure = high;
      partners.intake().tell(new Pressure(high));
    }
  }
}
