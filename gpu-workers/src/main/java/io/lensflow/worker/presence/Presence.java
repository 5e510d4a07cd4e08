package io.lensflow.worker.presence;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.ElementType;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.steering.SteeringSnapshot;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.slf4j.Logger;

/**
 * Writes the worker's heartbeats: at an interval, and soon after a change, changes that come
 * together in one. An orderly stop leaves a tombstone.
 */
public final class Presence extends AbstractBehavior<Presence.Command> {
  /** Changes within this time make one heartbeat. */
  private static final Duration GATHER = Duration.ofMillis(50);

  /** What presence is told. */
  public sealed interface Command {}

  /** The worker takes requests from now on; heartbeats begin. */
  public record Appear() implements Command {}

  /** So many slots are free. */
  public record Free(int slots) implements Command {}

  /** The steering table has changed. */
  public record Steering(SteeringSnapshot snapshot) implements Command {}

  /** The worker stops in an orderly way. */
  public record Leave(ActorRef<Gone> replyTo) implements Command {}

  private record Beat() implements Command {}

  private record Left(ActorRef<Gone> replyTo) implements Command {}

  /** Answer to {@link Leave}: the tombstone was written, or could not be. */
  public record Gone() {}

  /**
   * What stays the same.
   *
   * @param topic the topic of heartbeats
   * @param requestTopics topics that requests are taken from
   * @param batchTopic topic of the batch lane, empty if none is served
   * @param slots interactive requests run at a time
   * @param interval longest time between heartbeats
   */
  public record Settings(
      String topic, List<String> requestTopics, String batchTopic, int slots, Duration interval) {}

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final Settings settings;
  private final WorkerIdentity identity;
  private final EngineInfo engine;
  private final EventLog events;
  private final WorkerMetrics metrics;
  private final InstantSource clock;
  private SteeringSnapshot steering = SteeringSnapshot.EMPTY;
  private boolean visible;
  private int free;

  public static Behavior<Command> create(
      Settings settings,
      WorkerIdentity identity,
      EngineInfo engine,
      EventLog events,
      WorkerMetrics metrics,
      InstantSource clock) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers ->
                    new Presence(ctx, timers, settings, identity, engine, events, metrics, clock)));
  }

  private Presence(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Settings settings,
      WorkerIdentity identity,
      EngineInfo engine,
      EventLog events,
      WorkerMetrics metrics,
      InstantSource clock) {
    super(context);
    this.log = context.getLog();
    this.timers = timers;
    this.settings = settings;
    this.identity = identity;
    this.engine = engine;
    this.events = events;
    this.metrics = metrics;
    this.clock = clock;
    this.free = settings.slots();
    metrics.freeSlots(free);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Appear.class, this::onAppear)
        .onMessage(Free.class, this::onFree)
        .onMessage(Steering.class, this::onSteering)
        .onMessage(Beat.class, this::onBeat)
        .onMessage(Leave.class, this::onLeave)
        .onMessage(Left.class, this::onLeft)
        .build();
  }

  private Behavior<Command> onAppear(Appear appear) {
    visible = true;
    return onBeat(new Beat());
  }

  private Behavior<Command> onFree(Free now) {
    free = now.slots();
    metrics.freeSlots(free);
    return changed();
  }

  private Behavior<Command> onSteering(Steering now) {
    steering = now.snapshot();
    metrics.vectors(steering.vectors().size());
    return changed();
  }

  /** Beats soon; a beat that is to come soon already will tell of this change too. */
  private Behavior<Command> changed() {
    if (visible && !timers.isTimerActive(GATHER)) {
      timers.startSingleTimer(GATHER, new Beat(), GATHER);
    }
    return this;
  }

  private Behavior<Command> onBeat(Beat beat) {
    if (visible) {
      events
          .publish(settings.topic(), identity.worker(), heartbeat(), null)
          .whenComplete(
              (done, e) -> {
                if (e != null) {
                  log.warn("a heartbeat was lost: {}", e.toString());
                }
              });
      timers.startSingleTimer(Beat.class, new Beat(), settings.interval());
    }
    return this;
  }

  private Behavior<Command> onLeave(Leave leave) {
    visible = false;
    timers.cancelAll();
    getContext()
        .pipeToSelf(
            events.delete(settings.topic(), identity.worker()),
            (done, e) -> new Left(leave.replyTo()));
    return this;
  }

  private Behavior<Command> onLeft(Left left) {
    left.replyTo().tell(new Gone());
    return this;
  }

  private WorkerHeartbeat heartbeat() {
    return WorkerHeartbeat.newBuilder()
        .setWorker(identity.worker())
        .setIncarnation(identity.incarnation())
        .setStartedAt(identity.startedAt())
        .setProducedAt(clock.instant())
        .setModel(identity.model())
        .setRevision(engine.revision())
        .setLayers(engine.config().layers())
        .setHiddenSize(engine.config().hiddenSize())
        .setVocabularySize(engine.config().vocabularySize())
        .setMaxContext(engine.maxContext())
        .setTokenizerHash(identity.tokenizerHash())
        .setDtype(ElementType.valueOf(engine.dtype().name()))
        .setRanks(engine.ranks().size())
        .setDevice(engine.device())
        .setRequestTopics(settings.requestTopics())
        .setBatchRequestTopic(settings.batchTopic())
        .setSlots(settings.slots())
        .setFree(free)
        .setAppliedOffsets(steering.appliedOffsets())
        .setVectors(steering.vectors())
        .setRefused(steering.refused())
        .setPolicies(steering.policies())
        .build();
  }
}
