package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.lensflow.records.PromptRequest;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.scheduling.StepScheduler;
import io.lensflow.worker.steering.Resolution;
import java.time.InstantSource;
import java.util.concurrent.Semaphore;

/**
 * One request that a worker holds, from its decoding to its durable end: an actor that lives as
 * long as the request is held, and says once how it ended. It is first a {@link RequestAdmission},
 * then a {@link RequestRun}; what both know is a {@link RequestCase}.
 */
final class RequestSession {
  /**
   * Deliveries after which a request is not run any more. The group's limit is one higher: there
   * the broker would drop the record without a word.
   */
  static final int MAX_DELIVERIES = 9;

  private RequestSession() {}

  /** What a session hears. */
  sealed interface Command {}

  /** The request is to end. */
  record Cancel(String reason) implements Command {}

  /** Vectors have come or gone. */
  record VectorsChanged() implements Command {}

  /** The lens decoder has caught up, or fallen behind. */
  record DecoderMoved() implements Command {}

  /** The scheduler lost an attempt. */
  record AttemptFailed(StepScheduler.AttemptFailed report) implements Command {}

  /** The publisher has finished with an attempt. */
  record Published(ActivationPublisher.Report report) implements Command {}

  /** The worker stops: the request is left to others. */
  record GiveBack() implements Command {}

  /** Answer to a look-up. */
  record HistoryRead(RequestHistory history, Throwable problem) implements Command {}

  /** Answer of the steering table. */
  record Resolved(Resolution resolution, Throwable problem) implements Command {}

  /** A wait is over. */
  record WaitOver() implements Command {}

  /** Looks the request up once more. */
  record LookUp() implements Command {}

  /** The end is written. */
  record Ended(RequestEnding.Durable durable) implements Command {}

  /** What the intake hears of a session. */
  sealed interface Report {
    String requestId();
  }

  /**
   * A session is over.
   *
   * @param acknowledge whether the request has a durable end; else it is to be delivered again
   */
  record Over(String requestId, boolean acknowledge) implements Report {}

  /**
   * A request waits, for longer than others should have to wait behind it.
   *
   * @param waits whether it begins or ends to wait
   */
  record Parked(String requestId, boolean waits) implements Report {}

  /**
   * What all sessions of a lane share.
   *
   * @param vectorWaits permits to wait for a vector
   * @param captureWaits permits to wait, without a slot, for the lens decoder
   */
  record Shared(
      IntakeSettings settings,
      RequestIntake.Partners partners,
      ActorRef<StepScheduler.Command> scheduler,
      Semaphore vectorWaits,
      Semaphore captureWaits,
      WorkerMetrics metrics,
      InstantSource clock) {}

  /**
   * @param source the request
   * @param delivery how it came
   * @param cancelReason reason of an order that came before it; null if none did
   * @param intake hears of the end
   */
  static Behavior<Command> create(
      Shared shared,
      PromptRequest source,
      Delivery delivery,
      String cancelReason,
      ActorRef<Report> intake) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new RequestAdmission(
                        new RequestCase(
                            context, timers, shared, source, delivery, cancelReason, intake))));
  }
}
