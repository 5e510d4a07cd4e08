package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.lag.CaptureGate;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CaptureFit;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.scheduling.BatchRoom;
import io.lensflow.worker.scheduling.StepScheduler;
import io.lensflow.worker.steering.SteeringTable;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;

/**
 * Admission and acknowledgement. Every request that a source delivers is decoded here and gets a
 * {@link RequestSession} of its own; when that is over, its deliveries are acknowledged.
 *
 * <p>Two deliveries of one request are one request. What cannot be decoded goes to the dead
 * letters. Requests are welcome while the engine is up, the publisher's buffer is not half full and
 * the worker is not about to stop.
 */
public final class RequestIntake extends AbstractBehavior<RequestIntake.Command> {
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What the intake is asked to do. */
  public sealed interface Command {}

  /** Where runs go to; comes once, since the scheduler is made after the intake. */
  public record Begin(ActorRef<StepScheduler.Command> scheduler) implements Command {}

  /** A source has taken a request. */
  public record Delivered(Delivery delivery) implements Command {}

  /** Somebody wants a request to end, be it here, elsewhere, or not yet sent. */
  public record Cancel(String requestId, String reason) implements Command {}

  /** All orders that were given before the start are known. */
  public record ControlCaughtUp() implements Command {}

  /** The engine steps, or restarts. */
  public record EngineState(boolean up) implements Command {}

  /** News of the steering table. */
  public record SteeringHeard(SteeringTable.Event event) implements Command {}

  /** The lens decoder has caught up, or fallen behind. */
  public record DecoderMoved() implements Command {}

  /** News of the scheduler. */
  public record SchedulerHeard(StepScheduler.Report report) implements Command {}

  /** News of the publisher. */
  public record PublisherHeard(ActivationPublisher.Report report) implements Command {}

  /** Takes nothing more, waits for what runs, then gives the rest back. */
  public record Drain(Duration patience, ActorRef<Drained> replyTo) implements Command {}

  private record SessionSays(RequestSession.Report report) implements Command {}

  private record DeadLetterWritten(Delivery delivery, Failure failure, Throwable problem)
      implements Command {}

  private record DrainOver() implements Command {}

  /** Answer to {@link Drain}: nothing is held any more. */
  public record Drained() {}

  /** What the listener hears. */
  public sealed interface Event {}

  /** Said once: requests are being taken. */
  public record Opened() implements Event {}

  /** How many slots of a lane are free. */
  public record Occupancy(Lane lane, int free) implements Event {}

  /** Everything that the intake and its sessions work with. */
  public record Partners(
      RequestSource source,
      HistoryReader history,
      IntakeRecords records,
      Deserializer<PromptRequest> deserializer,
      RequestValidator validator,
      CompletionEvents events,
      ActorRef<SteeringTable.Command> steering,
      CaptureGate captures,
      CaptureFit fit,
      BatchRoom batchRoom,
      ActorRef<Event> listener) {}

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final IntakeSettings settings;
  private final Partners partners;
  private final WorkerMetrics metrics;
  private final InstantSource clock;
  private final ActorRef<RequestSession.Report> sessions;

  private final Map<String, Held> held = new HashMap<>();
  private final CancelledRequests cancelled = new CancelledRequests();

  private final Map<Lane, RequestSession.Shared> shared = new EnumMap<>(Lane.class);
  private final Map<Lane, Integer> deliveries = new EnumMap<>(Lane.class);

  private boolean controlKnown;
  private boolean steeringKnown;
  private boolean opened;
  private boolean engineUp = true;
  private boolean pressure;
  private ActorRef<Drained> draining;

  /**
   * An intake that begins to take requests once it knows its scheduler, and the orders and vectors
   * of before its start.
   */
  public static Behavior<Command> create(
      IntakeSettings settings, Partners partners, WorkerMetrics metrics, InstantSource clock) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers -> new RequestIntake(ctx, timers, settings, partners, metrics, clock)));
  }

  private RequestIntake(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      IntakeSettings settings,
      Partners partners,
      WorkerMetrics metrics,
      InstantSource clock) {
    super(context);
    this.log = context.getLog();
    this.timers = timers;
    this.settings = settings;
    this.partners = partners;
    this.metrics = metrics;
    this.clock = clock;
    this.sessions = context.messageAdapter(RequestSession.Report.class, SessionSays::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::onBegin)
        .onMessage(Delivered.class, this::onDelivered)
        .onMessage(SessionSays.class, this::onSessionSays)
        .onMessage(Cancel.class, this::onCancel)
        .onMessage(ControlCaughtUp.class, this::onControlCaughtUp)
        .onMessage(EngineState.class, this::onEngineState)
        .onMessage(SteeringHeard.class, this::onSteeringHeard)
        .onMessage(DecoderMoved.class, message -> onDecoderMoved())
        .onMessage(SchedulerHeard.class, this::onSchedulerHeard)
        .onMessage(PublisherHeard.class, this::onPublisherHeard)
        .onMessage(DeadLetterWritten.class, this::onDeadLetterWritten)
        .onMessage(Drain.class, this::onDrain)
        .onMessage(DrainOver.class, this::onDrainOver)
        .build();
  }

  // Opening.

  private Behavior<Command> onBegin(Begin begin) {
    for (Lane lane : Lane.values()) {
      shared.put(
          lane,
          new RequestSession.Shared(
              settings,
              partners,
              begin.scheduler(),
              new Semaphore(settings.maxWaitingForVectors(lane)),
              new Semaphore(settings.maxParked(lane)),
              metrics,
              clock));
    }
    openIfReady();
    return this;
  }

  private Behavior<Command> onControlCaughtUp(ControlCaughtUp message) {
    controlKnown = true;
    openIfReady();
    return this;
  }

  private Behavior<Command> onSteeringHeard(SteeringHeard heard) {
    if (heard.event() instanceof SteeringTable.Ready) {
      steeringKnown = true;
      openIfReady();
    } else {
      held.values().forEach(one -> one.session.tell(new RequestSession.VectorsChanged()));
    }
    return this;
  }

  private void openIfReady() {
    if (!opened && !shared.isEmpty() && controlKnown && steeringKnown) {
      opened = true;
      ActorRef<Command> self = getContext().getSelf();
      partners.source().start(delivery -> self.tell(new Delivered(delivery)));
      welcome();
      partners.listener().tell(new Opened());
    }
  }

  private Behavior<Command> onEngineState(EngineState state) {
    engineUp = state.up();
    welcome();
    return this;
  }

  private void welcome() {
    partners.source().welcome(opened && engineUp && !pressure && draining == null);
  }

  // Requests come and go.

  private Behavior<Command> onDelivered(Delivered delivered) {
    Delivery delivery = delivered.delivery();
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    PromptRequest request;
    try {
      request = partners.deserializer().deserialize(record.topic(), record.value());
    } catch (SchemaRegistryException e) {
      log.warn("a request waits for the schema registry: {}", e.getMessage());
      timers.startSingleTimer(delivery, delivered, RETRY);
      return this;
    } catch (RecordFormatException e) {
      count(delivery, 1);
      return refuse(delivery, new Failure("UNDECODABLE", e.getMessage(), null));
    }
    count(delivery, 1);
    if (request == null || request.getRequestId().isBlank()) {
      String message = "the record names no request; set requestId to a UUIDv7";
      return refuse(delivery, new Failure("UNDECODABLE", message, "requestId"));
    }
    take(delivery, request);
    return this;
  }

  private void take(Delivery delivery, PromptRequest request) {
    String id = request.getRequestId();
    Held before = held.get(id);
    if (before != null) {
      log.info("request={} came twice; it stays one request", id);
      before.deliveries.add(delivery);
      if (before.parked) {
        partners.source().park(delivery, true);
        count(delivery, -1);
      }
      return;
    }
    metrics.requestTaken();
    ActorRef<RequestSession.Command> session =
        getContext()
            .spawnAnonymous(
                RequestSession.create(
                    shared.get(delivery.lane()), request, delivery, cancelled.reason(id), sessions),
                DispatcherSelector.sameAsParent());
    held.put(id, new Held(session, delivery));
  }

  private Behavior<Command> onSessionSays(SessionSays message) {
    if (message.report() instanceof RequestSession.Over over) {
      Held one = held.remove(over.requestId());
      one.deliveries.forEach(d -> release(d, over.acknowledge()));
      finishDraining();
    } else if (message.report() instanceof RequestSession.Parked parked) {
      park(held.get(parked.requestId()), parked.waits());
    }
    return this;
  }

  /** What waits for long takes no slot, so that others are not kept waiting behind it. */
  private void park(Held one, boolean waits) {
    if (one.parked != waits) {
      one.parked = waits;
      for (Delivery delivery : one.deliveries) {
        partners.source().park(delivery, waits);
        count(delivery, waits ? -1 : 1);
      }
    }
  }

  private void release(Delivery delivery, boolean acknowledge) {
    if (acknowledge) {
      partners.source().complete(delivery);
    } else {
      partners.source().abandon(delivery);
    }
    count(delivery, -1);
  }

  private void count(Delivery delivery, int change) {
    Lane lane = delivery.lane();
    int held = deliveries.merge(lane, change, Integer::sum);
    partners.listener().tell(new Occupancy(lane, Math.max(0, settings.slots(lane) - held)));
  }

  /** Keeps a record that is no request among the dead letters. */
  private Behavior<Command> refuse(Delivery delivery, Failure failure) {
    log.warn(
        "{}-{} at {} is no request: {}",
        delivery.record().topic(),
        delivery.record().partition(),
        delivery.record().offset(),
        failure.getMessage());
    getContext()
        .pipeToSelf(
            partners.records().deadLetter(delivery, failure, null, delivery.deliveryCount()),
            (done, e) -> new DeadLetterWritten(delivery, failure, e));
    return this;
  }

  private Behavior<Command> onDeadLetterWritten(DeadLetterWritten written) {
    if (written.problem() != null) {
      log.warn("a dead letter is written again: {}", written.problem().toString());
      return refuse(written.delivery(), written.failure());
    }
    metrics.deadLetter();
    release(written.delivery(), true);
    return this;
  }

  // News for sessions.

  private Behavior<Command> onCancel(Cancel cancel) {
    cancelled.add(cancel.requestId(), cancel.reason());
    tell(cancel.requestId(), new RequestSession.Cancel(cancel.reason()));
    return this;
  }

  private Behavior<Command> onDecoderMoved() {
    held.values().forEach(one -> one.session.tell(new RequestSession.DecoderMoved()));
    return this;
  }

  private Behavior<Command> onSchedulerHeard(SchedulerHeard heard) {
    if (heard.report() instanceof StepScheduler.Pressure high) {
      pressure = high.high();
      welcome();
    } else if (heard.report() instanceof StepScheduler.AttemptFailed failed) {
      tell(failed.requestId(), new RequestSession.AttemptFailed(failed));
    }
    return this;
  }

  private Behavior<Command> onPublisherHeard(PublisherHeard heard) {
    tell(heard.report().requestId(), new RequestSession.Published(heard.report()));
    return this;
  }

  private void tell(String requestId, RequestSession.Command command) {
    Held one = held.get(requestId);
    if (one != null) {
      one.session.tell(command);
    }
  }

  // The orderly stop.

  private Behavior<Command> onDrain(Drain drain) {
    draining = drain.replyTo();
    welcome();
    timers.startSingleTimer(new DrainOver(), drain.patience());
    finishDraining();
    return this;
  }

  private Behavior<Command> onDrainOver(DrainOver over) {
    held.values().forEach(one -> one.session.tell(new RequestSession.GiveBack()));
    return this;
  }

  private void finishDraining() {
    if (draining != null && held.isEmpty()) {
      draining.tell(new Drained());
    }
  }
}
