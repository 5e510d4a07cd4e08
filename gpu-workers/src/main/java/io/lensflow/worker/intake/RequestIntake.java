package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.InvalidRequestException;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.scheduling.StepScheduler;
import io.lensflow.worker.steering.PinnedSteering;
import io.lensflow.worker.steering.Resolution;
import io.lensflow.worker.steering.SteeringTable;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;

/**
 * Admission and acknowledgement. Every request that a source delivers passes through here: it is
 * decoded, looked up, checked, given its vectors and handed to the scheduler; and it is acknowledged
 * here, after its terminal event is durable.
 *
 * <p>It keeps track of all attempts: one that fails is followed by another, up to a limit; then the
 * request goes to the dead letters and fails. A delivery whose request has ended is only
 * acknowledged, and two deliveries of one request are one request.
 */
public final class RequestIntake extends AbstractBehavior<RequestIntake.Command> {
  /**
   * Deliveries after which a request is not run any more. The group's limit is one higher: there the
   * broker would drop the record without a word.
   */
  public static final int MAX_DELIVERIES = 9;

  private static final Duration TICK = Duration.ofMillis(200);
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What the intake is asked to do. */
  public sealed interface Command {}

  /** A source has taken a request. */
  public record Delivered(Delivery delivery) implements Command {}

  /** Somebody wants a request to end, be it here, elsewhere, or not yet sent. */
  public record Cancel(String requestId, String reason) implements Command {}

  /** All orders that were given before the start are known. */
  public record ControlCaughtUp() implements Command {}

  /** The engine steps, or restarts. */
  public record EngineState(boolean up) implements Command {}

  /** Takes nothing more, waits for what runs, then gives the rest back. */
  public record Drain(Duration patience, ActorRef<Drained> replyTo) implements Command {}

  private record HistoryRead(String requestId, RequestHistory history, Throwable problem)
      implements Command {}

  private record Resolved(String requestId, Resolution resolution, Throwable problem)
      implements Command {}

  private record SteeringHeard(SteeringTable.Event event) implements Command {}

  private record SchedulerReported(StepScheduler.Report report) implements Command {}

  private record PublisherReported(ActivationPublisher.Report report) implements Command {}

  private record EndWritten(String requestId, CompletionEvent event, Throwable problem)
      implements Command {}

  private record DeadLetterWritten(Delivery delivery, Failure failure, Throwable problem)
      implements Command {}

  private record DrainOver() implements Command {}

  private record Tick() implements Command {}

  /** Answer to {@link Drain}. */
  public record Drained() {}

  /** What listeners hear. */
  public sealed interface Event {}

  /** Said once: requests are being taken. */
  public record Opened() implements Event {}

  /** How many slots are free. */
  public record Occupancy(int free) implements Event {}

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final IntakeSettings settings;
  private final IntakePartners partners;
  private final RequestValidator validator;
  private final RequestSource source;
  private final HistoryReader history;
  private final RecordDeserializer<PromptRequest> deserializer;
  private final IntakeRecords records;
  private final CompletionEvents events;
  private final WorkerMetrics metrics;
  private final InstantSource clock;

  private final Map<String, HeldRequest> held = new HashMap<>();
  private final CancelledRequests cancelled = new CancelledRequests();
  private final ActorRef<Resolution> unused = null;

  private boolean controlKnown;
  private boolean steeringKnown;
  private boolean opened;
  private boolean engineUp = true;
  private boolean pressure;
  private int deliveries;
  private ActorRef<Drained> draining;
}
