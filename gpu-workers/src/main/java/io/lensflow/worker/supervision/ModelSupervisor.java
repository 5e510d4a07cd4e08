package io.lensflow.worker.supervision;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.PostStop;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.TopicTail;
import io.lensflow.worker.WorkerSettings;
import io.lensflow.worker.intake.ControlTail;
import io.lensflow.worker.intake.IntakeRecords;
import io.lensflow.worker.intake.RequestIntake;
import io.lensflow.worker.presence.Presence;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CaptureFit;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.TensorParallelGroup;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.scheduling.StepScheduler;
import io.lensflow.worker.steering.SteeringTable;
import io.lensflow.worker.steering.SteeringTail;
import java.util.ArrayList;
import java.util.List;

/**
 * Everything that serves one model. The group with its engine comes first; when its engine is
 * loaded, and its shape known, the others are made around it. A group that restarts stays the same
 * actor, and the others wait for it.
 *
 * <p>The other actors hold state that nothing could bring back (who is held, what is pinned): one
 * of them failing is a defect, and ends the process, so that the queue gives its requests to
 * others.
 */
public final class ModelSupervisor extends AbstractBehavior<ModelSupervisor.Command> {
  private static final DispatcherSelector MAY_BLOCK =
      DispatcherSelector.fromConfig("lensflow-dispatchers.kafka");

  /** What the supervisor is asked to do. */
  public sealed interface Command {}

  /** Stops in an orderly way. */
  public record Stop(ActorRef<Stopped> replyTo) implements Command {}

  private record GroupSays(TensorParallelGroup.Status status) implements Command {}

  private record SteeringSays(SteeringTable.Event event) implements Command {}

  private record IntakeSays(RequestIntake.Event event) implements Command {}

  private record SchedulerSays(StepScheduler.Report report) implements Command {}

  private record PublisherSays(ActivationPublisher.Report report) implements Command {}

  private record Drained() implements Command {}

  private record Gone() implements Command {}

  /** Answer to {@link Stop}. */
  public record Stopped() {}

  private final WorkerParts parts;
  private final ActorRef<TensorParallelGroup.Command> group;
  private final List<TopicTail> tails = new ArrayList<>();
  private EngineInfo engine;
  private ActorRef<RequestIntake.Command> intake;
  private ActorRef<StepScheduler.Command> scheduler;
  private ActorRef<Presence.Command> presence;
  private ActorRef<Stopped> stopping;

  public static Behavior<Command> create(WorkerParts parts) {
    return Behaviors.setup(ctx -> new ModelSupervisor(ctx, parts));
  }

  private ModelSupervisor(ActorContext<Command> context, WorkerParts parts) {
    super(context);
    this.parts = parts;
    this.group =
        context.spawn(
            TensorParallelGroup.create(
                parts.engine(),
                parts.settings().restart(),
                context.messageAdapter(TensorParallelGroup.Status.class, GroupSays::new)),
            "group");
    context.watch(group);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(GroupSays.class, message -> onGroup(message.status()))
        .onMessage(SteeringSays.class, message -> onSteering(message.event()))
        .onMessage(IntakeSays.class, message -> onIntake(message.event()))
        .onMessage(
            SchedulerSays.class, m -> tellIntake(new RequestIntake.SchedulerHeard(m.report())))
        .onMessage(PublisherSays.class, m -> onPublisher(m.report()))
        .onMessage(Stop.class, this::onStop)
        .onMessage(Drained.class, message -> onDrained())
        .onMessage(Gone.class, message -> onGone())
        .onSignal(ChildFailed.class, failed -> onChildFailed(failed))
        .onSignal(Terminated.class, terminated -> this)
        .onSignal(PostStop.class, signal -> onPostStop())
        .build();
  }

  private Behavior<Command> onGroup(TensorParallelGroup.Status status) {
    if (status instanceof TensorParallelGroup.Up up) {
      if (engine == null) {
        engine = up.engine();
        assemble();
      }
      parts.metrics().engine(up.engine());
      scheduler.tell(new StepScheduler.GroupUp(up.engine()));
      tellIntake(new RequestIntake.EngineState(true));
      parts.lifecycle().engine(true);
    } else if (status instanceof TensorParallelGroup.Down down) {
      parts.metrics().engineRestart();
      parts.lifecycle().engine(false);
      if (scheduler != null) {
        scheduler.tell(new StepScheduler.GroupDown(down.reason()));
        tellIntake(new RequestIntake.EngineState(false));
      }
    } else if (status instanceof TensorParallelGroup.NeverLoaded never) {
      parts.lifecycle().neverLoaded(never.cause());
    } else if (status instanceof TensorParallelGroup.Lost lost) {
      parts.lifecycle().lost(lost.cause());
    }
    return this;
  }

  /** Makes the actors around a loaded engine, each after those that it needs. */
  private void assemble() {
    ActorContext<Command> context = getContext();
    WorkerSettings settings = parts.settings();
    CompletionEvents events = new CompletionEvents(parts.identity(), parts.clock());
    ActorRef<SteeringTable.Command> table =
        watched(
            context.spawn(
                SteeringTable.create(
                    parts.identity().model(),
                    engine,
                    group,
                    List.of(context.messageAdapter(SteeringTable.Event.class, SteeringSays::new)),
                    settings.steeringPatience(),
                    parts.clock()),
                "steering-table"));
    intake = watched(context.spawn(intake(events, table), "intake", MAY_BLOCK));
    ActorRef<ActivationPublisher.Command> publisher =
        watched(context.spawn(publisher(), "publisher", MAY_BLOCK));
    scheduler = watched(context.spawn(scheduler(events, publisher), "scheduler", MAY_BLOCK));
    presence = watched(context.spawn(presence(), "presence", MAY_BLOCK));
    intake.tell(new RequestIntake.Begin(scheduler));
    ActorRef<RequestIntake.Command> listener = intake;
    parts.decoder().start(() -> listener.tell(new RequestIntake.DecoderMoved()));
    startTails(table);
  }

  private <T> ActorRef<T> watched(ActorRef<T> child) {
    getContext().watch(child);
    return child;
  }

  private Behavior<RequestIntake.Command> intake(
      CompletionEvents events, ActorRef<SteeringTable.Command> table) {
    RequestIntake.Partners partners =
        new RequestIntake.Partners(
            parts.source(),
            parts.history(),
            new IntakeRecords(
                parts.events(), parts.catalogue().completions(), parts.catalogue().deadLetters()),
            parts.decoders().requests(),
            new RequestValidator(parts.identity().model(), engine, parts.tokenizer()),
            events,
            table,
            parts.decoder(),
            captureFit(),
            parts.lane().room(engine.kvTokens()),
            getContext().messageAdapter(RequestIntake.Event.class, IntakeSays::new));
    return RequestIntake.create(
        parts.settings().intake(), partners, parts.metrics(), parts.clock());
  }

  private CaptureFit captureFit() {
    WorkerSettings settings = parts.settings();
    return new CaptureFit(
        engine,
        new CaptureFit.Limits(
            settings.engine().stagingBytes(),
            settings.publisher().bufferBytes(),
            settings.engine().deterministic() ? settings.prefillChunk() : 1,
            settings.publisher().chunks().maxRecordBytes(),
            parts.activationBytes()));
  }

  private Behavior<ActivationPublisher.Command> publisher() {
    return ActivationPublisher.create(
        parts.chunks(),
        parts.events(),
        parts.identity(),
        parts.metrics(),
        parts.clock(),
        new ActivationPublisher.Settings(
            parts.catalogue().activations(),
            parts.catalogue().completions(),
            parts.settings().publisher().chunks()));
  }

  private Behavior<StepScheduler.Command> scheduler(
      CompletionEvents events, ActorRef<ActivationPublisher.Command> publisher) {
    ActorContext<Command> context = getContext();
    return StepScheduler.create(
        new StepScheduler.Settings(
            parts.settings().intake().slots(),
            parts.lane(),
            parts.settings().prefillChunk(),
            parts.settings().engine().deterministic(),
            parts.settings().prefixShare(),
            parts.settings().publisher().bufferBytes(),
            parts.catalogue().completions()),
        new StepScheduler.Partners(
            group,
            publisher,
            context.messageAdapter(ActivationPublisher.Report.class, PublisherSays::new),
            context.messageAdapter(StepScheduler.Report.class, SchedulerSays::new),
            parts.events()),
        events,
        parts.tokenizer(),
        parts.metrics(),
        parts.clock());
  }

  private Behavior<Presence.Command> presence() {
    return Presence.create(
        new Presence.Settings(
            parts.catalogue().workers(),
            List.of(parts.requestTopic()),
            parts.batchTopic(),
            parts.settings().intake().slots(),
            parts.settings().heartbeatInterval()),
        parts.identity(),
        engine,
        parts.events(),
        parts.metrics(),
        parts.clock());
  }

  private void startTails(ActorRef<SteeringTable.Command> table) {
    TopicCatalogue catalogue = parts.catalogue();
    SteeringTail.Topics steering =
        new SteeringTail.Topics(
            catalogue.steeringVectors(), catalogue.steeringAliases(), catalogue.steeringPolicies());
    tails.add(
        TopicTail.start(
            "steering-tail",
            steering.names(),
            parts.tails(),
            new SteeringTail(
                parts.identity().model(), steering, parts.decoders().steering(), table)));
    tails.add(
        TopicTail.start(
            "control-tail",
            List.of(parts.catalogue().requestControl()),
            parts.tails(),
            new ControlTail(parts.decoders().control(), intake)));
  }

  private Behavior<Command> onSteering(SteeringTable.Event event) {
    tellIntake(new RequestIntake.SteeringHeard(event));
    if (event instanceof SteeringTable.Changed changed) {
      presence.tell(new Presence.Steering(changed.snapshot()));
    }
    return this;
  }

  private Behavior<Command> onPublisher(ActivationPublisher.Report report) {
    scheduler.tell(new StepScheduler.PublisherHeard(report));
    return tellIntake(new RequestIntake.PublisherHeard(report));
  }

  private Behavior<Command> onIntake(RequestIntake.Event event) {
    if (event instanceof RequestIntake.Occupancy occupancy) {
      if (occupancy.lane() == Lane.BATCH) {
        parts.metrics().freeBatchSlots(occupancy.free());
      } else {
        presence.tell(new Presence.Free(occupancy.free()));
      }
    } else {
      parts.metrics().freeBatchSlots(parts.lane().slots());
      presence.tell(new Presence.Appear());
      parts.lifecycle().ready(engine);
    }
    return this;
  }

  private Behavior<Command> tellIntake(RequestIntake.Command command) {
    intake.tell(command);
    return this;
  }

  // The orderly stop: first the requests, then the tombstone, then the actors.

  private Behavior<Command> onStop(Stop stop) {
    stopping = stop.replyTo();
    if (intake == null) {
      return onGone();
    }
    ActorRef<RequestIntake.Drained> drained =
        getContext().messageAdapter(RequestIntake.Drained.class, reply -> new Drained());
    intake.tell(new RequestIntake.Drain(parts.settings().stopTimeout(), drained));
    return this;
  }

  private Behavior<Command> onDrained() {
    ActorRef<Presence.Gone> gone =
        getContext().messageAdapter(Presence.Gone.class, reply -> new Gone());
    presence.tell(new Presence.Leave(gone));
    return this;
  }

  private Behavior<Command> onGone() {
    stopping.tell(new Stopped());
    return Behaviors.stopped();
  }

  private Behavior<Command> onChildFailed(ChildFailed failed) {
    parts.lifecycle().lost(failed.cause());
    return Behaviors.stopped();
  }

  private Behavior<Command> onPostStop() {
    tails.forEach(TopicTail::close);
    return this;
  }
}
