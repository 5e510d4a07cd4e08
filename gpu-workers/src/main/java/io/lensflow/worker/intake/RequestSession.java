package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.GenerationRequest;
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
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;

/**
 * One request that a worker holds, from its decoding to its durable end: looked up, checked, given
 * its vectors, run, run again after a failure, and given up at the limit. Lives as long as the
 * request is held, and says once how it ended.
 */
final class RequestSession extends AbstractBehavior<RequestSession.Command> {
  /**
   * Deliveries after which a request is not run any more. The group's limit is one higher: there
   * the broker would drop the record without a word.
   */
  static final int MAX_DELIVERIES = 9;

  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration ASK = Duration.ofSeconds(3);
  private static final Duration CLOCK_SKEW = Duration.ofSeconds(5);

  /** What a session hears. */
  sealed interface Command {}

  /** The request is to end. */
  record Cancel(String reason) implements Command {}

  /** Vectors have come or gone. */
  record VectorsChanged() implements Command {}

  /** The scheduler lost an attempt. */
  record AttemptFailed(StepScheduler.AttemptFailed report) implements Command {}

  /** The publisher has finished with an attempt. */
  record Published(ActivationPublisher.Report report) implements Command {}

  /** The worker stops: the request is left to others. */
  record GiveBack() implements Command {}

  private record HistoryRead(RequestHistory history, Throwable problem) implements Command {}

  private record Resolved(Resolution resolution, Throwable problem) implements Command {}

  private record WaitOver() implements Command {}

  private record Ended(RequestEnding.Durable durable) implements Command {}

  private record LookUp() implements Command {}

  /**
   * A session is over.
   *
   * @param acknowledge whether the request has a durable end; else it is to be delivered again
   */
  record Over(String requestId, boolean acknowledge) {}

  /** What all sessions of a worker share. */
  record Shared(
      IntakeSettings settings,
      RequestIntake.Partners partners,
      ActorRef<StepScheduler.Command> scheduler,
      Semaphore vectorWaits,
      WorkerMetrics metrics,
      InstantSource clock) {}

  /** Where the request stands. */
  private enum Phase {
    LOOKED_UP,
    STEERED,
    WAITING_FOR_VECTOR,
    RUNNING,
    ENDING
  }

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final Shared shared;
  private final RequestIntake.Partners partners;
  private final PromptRequest source;
  private final Delivery delivery;
  private final String traceparent;
  private final ActorRef<Over> intake;

  private Phase phase = Phase.LOOKED_UP;
  private String cancelReason;
  private GenerationRequest request;
  private PinnedSteering steering = PinnedSteering.NONE;
  private Run run;
  private int attempts;
  private Instant vectorDeadline;

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
      ActorRef<Over> intake) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers ->
                    new RequestSession(
                        ctx, timers, shared, source, delivery, cancelReason, intake)));
  }

  private RequestSession(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Shared shared,
      PromptRequest source,
      Delivery delivery,
      String cancelReason,
      ActorRef<Over> intake) {
    super(context);
    this.log = context.getLog();
    this.timers = timers;
    this.shared = shared;
    this.partners = shared.partners();
    this.source = source;
    this.delivery = delivery;
    this.cancelReason = cancelReason;
    this.intake = intake;
    this.traceparent =
        LensflowHeaders.get(delivery.record().headers(), LensflowHeaders.TRACEPARENT).orElse(null);
    lookUp();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(HistoryRead.class, this::onHistoryRead)
        .onMessage(Resolved.class, this::onResolved)
        .onMessage(VectorsChanged.class, this::onVectorsChanged)
        .onMessage(WaitOver.class, this::onWaitOver)
        .onMessage(Cancel.class, this::onCancel)
        .onMessage(AttemptFailed.class, this::onAttemptFailed)
        .onMessage(Published.class, this::onPublished)
        .onMessage(Ended.class, this::onEnded)
        .onMessage(LookUp.class, message -> lookUp())
        .onMessage(GiveBack.class, this::onGiveBack)
        .build();
  }

  // Before it runs.

  private Behavior<Command> lookUp() {
    getContext()
        .pipeToSelf(
            partners.history().read(source.getRequestId(), earliestEvent()), HistoryRead::new);
    return this;
  }

  /** No event of the request is older, also if it was sent before under the same id. */
  private Instant earliestEvent() {
    Instant first = Instant.ofEpochMilli(delivery.record().timestamp());
    Instant made = Ids.timeOf(source.getRequestId()).orElse(first);
    first = made.isBefore(first) ? made : first;
    Instant created = source.getCreatedAt();
    boolean earlier = created.isAfter(Instant.EPOCH) && created.isBefore(first);
    return (earlier ? created : first).minus(CLOCK_SKEW);
  }

  private Behavior<Command> onHistoryRead(HistoryRead read) {
    if (read.problem() != null) {
      log.warn(
          "request={} history cannot be read yet: {}",
          source.getRequestId(),
          read.problem().toString());
      timers.startSingleTimer(new LookUp(), RETRY);
      return this;
    }
    if (read.history().ended()) {
      log.info("request={} has ended before; acknowledged", source.getRequestId());
      return over(true);
    }
    attempts = read.history().attempts();
    int count = delivery.deliveryCount();
    if (attempts >= shared.settings().maxAttempts() || count >= MAX_DELIVERIES) {
      return exhaust("it was delivered %d times".formatted(Math.max(count, attempts + 1)));
    }
    return check();
  }

  private Behavior<Command> check() {
    if (cancelReason != null) {
      return cancelled();
    }
    Instant now = shared.clock().instant();
    Instant deadline = RequestValidator.deadline(source);
    if (now.isAfter(deadline)) {
      return fail(
          new Failure(
              CompletionEvents.DEADLINE_EXCEEDED,
              "the deadline %s passed before a worker was free; set a later one"
                  .formatted(deadline),
              "deadline"));
    }
    try {
      request =
          partners
              .validator()
              .validate(source, traceparent)
              .notAfter(now.plus(shared.settings().maxRequestTime()));
    } catch (InvalidRequestException e) {
      return fail(e.failure());
    }
    Instant patience = now.plus(shared.settings().maxSteeringWait());
    vectorDeadline = patience.isBefore(deadline) ? patience : deadline;
    return resolve();
  }

  private Behavior<Command> resolve() {
    getContext()
        .ask(
            Resolution.class,
            partners.steering(),
            ASK,
            replyTo ->
                new SteeringTable.Resolve(
                    source.getSteering(), source.getLabels(), source.getPolicies(), replyTo),
            Resolved::new);
    if (phase != Phase.WAITING_FOR_VECTOR) {
      phase = Phase.STEERED;
    }
    return this;
  }

  private Behavior<Command> onResolved(Resolved resolved) {
    boolean expected = phase == Phase.STEERED || phase == Phase.WAITING_FOR_VECTOR;
    if (resolved.resolution() instanceof Resolution.Pinned pinned) {
      if (!expected || steering != PinnedSteering.NONE) {
        unpin(pinned.steering());
        return this;
      }
      steering = pinned.steering();
      stopWaiting();
      return submit();
    }
    if (!expected) {
      return this;
    }
    if (resolved.resolution() instanceof Resolution.Impossible impossible) {
      stopWaiting();
      return fail(impossible.failure());
    }
    if (resolved.resolution() instanceof Resolution.Missing missing) {
      return waitForVector(missing.failure());
    }
    log.warn("request={} steering is not answered yet", source.getRequestId());
    return resolve();
  }

  /** Fails closed: the request never runs unsteered, and only a few may wait. */
  private Behavior<Command> waitForVector(Failure failure) {
    Duration left = Duration.between(shared.clock().instant(), vectorDeadline);
    boolean waits = phase == Phase.WAITING_FOR_VECTOR;
    if (left.isNegative() || left.isZero()) {
      stopWaiting();
      return fail(failure);
    }
    if (!waits && !shared.vectorWaits().tryAcquire()) {
      return fail(failure);
    }
    phase = Phase.WAITING_FOR_VECTOR;
    timers.startSingleTimer(new WaitOver(), left);
    return this;
  }

  private void stopWaiting() {
    if (phase == Phase.WAITING_FOR_VECTOR) {
      shared.vectorWaits().release();
      phase = Phase.STEERED;
    }
  }

  private Behavior<Command> onVectorsChanged(VectorsChanged changed) {
    return phase == Phase.WAITING_FOR_VECTOR ? resolve() : this;
  }

  private Behavior<Command> onWaitOver(WaitOver over) {
    return phase == Phase.WAITING_FOR_VECTOR ? resolve() : this;
  }

  private Behavior<Command> submit() {
    attempts++;
    boolean last = attempts >= shared.settings().maxAttempts();
    run = new Run(request, new Attempt(Ids.newId(), attempts), steering, last);
    phase = Phase.RUNNING;
    shared.scheduler().tell(new StepScheduler.Submit(run));
    return this;
  }

  // While it runs.

  private Behavior<Command> onCancel(Cancel cancel) {
    cancelReason = cancel.reason();
    if (phase == Phase.RUNNING) {
      shared.scheduler().tell(new StepScheduler.Cancel(source.getRequestId(), cancel.reason()));
    } else if (phase == Phase.STEERED || phase == Phase.WAITING_FOR_VECTOR) {
      stopWaiting();
      return cancelled();
    }
    return this;
  }

  private boolean runs(String attemptId) {
    return phase == Phase.RUNNING && run.attemptId().equals(attemptId);
  }

  private Behavior<Command> onAttemptFailed(AttemptFailed failed) {
    return runs(failed.report().attemptId()) ? again(failed.report().reason()) : this;
  }

  private Behavior<Command> onPublished(Published published) {
    ActivationPublisher.Report report = published.report();
    if (!runs(report.attemptId())) {
      return this;
    }
    if (report instanceof ActivationPublisher.ChunksLost lost) {
      shared.scheduler().tell(new StepScheduler.Discard(lost.attemptId()));
      note(CompletionEvents.WORKER_ERROR, lost.reason());
      return again(lost.reason());
    }
    if (report instanceof ActivationPublisher.TerminalLost lost) {
      return exhaust(lost.reason());
    }
    return over(true);
  }

  private Behavior<Command> again(String reason) {
    shared.metrics().attemptFailed();
    if (cancelReason != null) {
      return cancelled();
    }
    if (attempts >= shared.settings().maxAttempts()) {
      return exhaust(reason);
    }
    log.warn("request={} runs again after: {}", source.getRequestId(), reason);
    return submit();
  }

  /** Says that the attempt has failed; nothing waits for it. */
  private void note(String code, String message) {
    partners.records().note(partners.events().attemptFailed(run, code, message), traceparent);
  }

  // How it ends.

  /** Gives the request up: its record is kept among the dead letters, then it fails. */
  private Behavior<Command> exhaust(String reason) {
    String message = "given up after %d attempts; the last trouble: %s".formatted(attempts, reason);
    Failure failure = new Failure(CompletionEvents.ATTEMPTS_EXHAUSTED, message, null);
    log.warn("request={} {}", source.getRequestId(), message);
    return end(partners.events().failed(source, null, failure), failure);
  }

  private Behavior<Command> fail(Failure failure) {
    log.info(
        "request={} failed code={} field={}: {}",
        source.getRequestId(),
        failure.getCode(),
        failure.getField(),
        failure.getMessage());
    return end(partners.events().failed(source, null, failure), null);
  }

  private Behavior<Command> cancelled() {
    return end(partners.events().cancelled(source, null, cancelReason), null);
  }

  /** Ends the request while no attempt runs. */
  private Behavior<Command> end(CompletionEvent terminal, Failure givenUp) {
    phase = Phase.ENDING;
    getContext()
        .spawnAnonymous(
            RequestEnding.create(
                partners.records(),
                delivery,
                new RequestEnding.End(terminal, traceparent, givenUp, attempts),
                getContext().messageAdapter(RequestEnding.Durable.class, Ended::new)),
            DispatcherSelector.sameAsParent());
    return this;
  }

  private Behavior<Command> onEnded(Ended ended) {
    if (ended.durable().deadLetter()) {
      shared.metrics().deadLetter();
    }
    return over(true);
  }

  private Behavior<Command> onGiveBack(GiveBack giveBack) {
    stopWaiting();
    if (phase == Phase.RUNNING) {
      shared.scheduler().tell(new StepScheduler.Discard(run.attemptId()));
      note(CompletionEvents.WORKER_STOPPED, "the worker was stopped; another goes on");
    }
    return over(false);
  }

  private Behavior<Command> over(boolean acknowledge) {
    unpin(steering);
    intake.tell(new Over(source.getRequestId(), acknowledge));
    return Behaviors.stopped();
  }

  private void unpin(PinnedSteering pinned) {
    if (!pinned.uses().isEmpty()) {
      partners.steering().tell(new SteeringTable.Unpin(pinned));
    }
  }
}
