package io.lensflow.worker.intake;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Receive;
import io.lensflow.records.Failure;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.InvalidRequestException;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.RequestValidator;
import io.lensflow.worker.steering.Resolution;
import io.lensflow.worker.steering.SteeringTable;
import java.time.Duration;
import java.time.Instant;

/**
 * A request before it runs: looked up, checked, made to wait for a lens decoder that is behind, and
 * given its vectors.
 */
final class RequestAdmission extends AbstractBehavior<RequestSession.Command> {
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration ASK = Duration.ofSeconds(3);
  private static final Duration CLOCK_SKEW = Duration.ofSeconds(5);

  /** Where the request stands. */
  private enum Phase {
    LOOKED_UP,
    WAITING_FOR_DECODER,
    STEERED,
    WAITING_FOR_VECTOR
  }

  private final RequestCase one;
  private Phase phase = Phase.LOOKED_UP;
  private GenerationRequest request;
  private boolean parked;
  private Instant vectorDeadline;

  RequestAdmission(RequestCase one) {
    super(one.context);
    this.one = one;
    lookUp();
  }

  @Override
  public Receive<RequestSession.Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(RequestSession.LookUp.class, message -> lookUp())
        .onMessage(RequestSession.HistoryRead.class, this::onHistoryRead)
        .onMessage(RequestSession.DecoderMoved.class, message -> onWaitOver())
        .onMessage(RequestSession.VectorsChanged.class, message -> onVectorsChanged())
        .onMessage(RequestSession.Resolved.class, this::onResolved)
        .onMessage(RequestSession.WaitOver.class, message -> onWaitOver())
        .onMessage(RequestSession.Cancel.class, this::onCancel)
        .onMessage(RequestSession.GiveBack.class, message -> onGiveBack())
        .onAnyMessage(message -> this)
        .build();
  }

  private Behavior<RequestSession.Command> lookUp() {
    getContext()
        .pipeToSelf(
            one.partners.history().read(one.requestId(), earliestEvent()),
            RequestSession.HistoryRead::new);
    return this;
  }

  /** No event of the request is older, also if it was sent before under the same id. */
  private Instant earliestEvent() {
    Instant first = Instant.ofEpochMilli(one.delivery.record().timestamp());
    Instant made = Ids.timeOf(one.requestId()).orElse(first);
    first = made.isBefore(first) ? made : first;
    Instant created = one.source.getCreatedAt();
    boolean earlier = created.isAfter(Instant.EPOCH) && created.isBefore(first);
    return (earlier ? created : first).minus(CLOCK_SKEW);
  }

  private Behavior<RequestSession.Command> onHistoryRead(RequestSession.HistoryRead read) {
    if (read.problem() != null) {
      getContext()
          .getLog()
          .warn(
              "request={} history cannot be read yet: {}",
              one.requestId(),
              read.problem().toString());
      one.timers.startSingleTimer(new RequestSession.LookUp(), RETRY);
      return this;
    }
    if (read.history().ended()) {
      getContext().getLog().info("request={} has ended before; acknowledged", one.requestId());
      return one.over(true);
    }
    one.attempts.addAll(read.history().attempts());
    int count = one.delivery.deliveryCount();
    if (one.isExhausted()) {
      return one.exhaust("no further attempt is allowed");
    }
    if (count >= RequestSession.MAX_DELIVERIES) {
      return one.exhaust(
          "it was delivered %d times, and the queue would soon drop it".formatted(count));
    }
    return check();
  }

  private Behavior<RequestSession.Command> check() {
    if (one.cancelReason != null) {
      return one.cancelled();
    }
    Instant now = one.shared.clock().instant();
    Instant deadline = RequestValidator.deadline(one.source);
    if (now.isAfter(deadline)) {
      return late(deadline, "before a worker was free; set a later one");
    }
    try {
      request =
          one.partners
              .validator()
              .validate(one.source, one.traceparent)
              .notAfter(now.plus(one.shared.settings().maxRequestTime()));
      one.partners.fit().check(request);
      if (one.delivery.lane() == Lane.BATCH) {
        one.partners.batchRoom().check(request);
      }
    } catch (InvalidRequestException e) {
      return one.fail(e.failure());
    }
    return isHeldUp() ? waitForDecoder() : steer();
  }

  private Behavior<RequestSession.Command> late(Instant deadline, String why) {
    return one.fail(
        new Failure(
            CompletionEvents.DEADLINE_EXCEEDED,
            "the deadline %s passed %s".formatted(deadline, why),
            "deadline"));
  }

  // The decoder.

  /** Whether its rows would push others out of the log that the decoder has not read. */
  private boolean isHeldUp() {
    return !request.capture().isEmpty() && one.partners.captures().isHeldUp(one.requestId());
  }

  private Behavior<RequestSession.Command> waitForDecoder() {
    phase = Phase.WAITING_FOR_DECODER;
    one.shared.metrics().captureWaits(1);
    parked = one.shared.captureWaits().tryAcquire();
    if (parked) {
      one.intake.tell(new RequestSession.Parked(one.requestId(), true));
    }
    startWaitOver();
    getContext()
        .getLog()
        .info("request={} waits: {}", one.requestId(), one.partners.captures().reason());
    return this;
  }

  private void startWaitOver() {
    Duration left = Duration.between(one.shared.clock().instant(), request.deadline());
    one.timers.startSingleTimer(new RequestSession.WaitOver(), left.plusMillis(1));
  }

  private void stopWaitingForDecoder() {
    if (phase == Phase.WAITING_FOR_DECODER) {
      phase = Phase.LOOKED_UP;
      one.timers.cancel(new RequestSession.WaitOver());
      one.shared.metrics().captureWaits(-1);
      if (parked) {
        one.shared.captureWaits().release();
        one.intake.tell(new RequestSession.Parked(one.requestId(), false));
      }
    }
  }

  // Vectors.

  private Behavior<RequestSession.Command> steer() {
    Instant deadline = RequestValidator.deadline(one.source);
    Instant patience = one.shared.clock().instant().plus(one.shared.settings().maxSteeringWait());
    vectorDeadline = patience.isBefore(deadline) ? patience : deadline;
    return resolve();
  }

  private Behavior<RequestSession.Command> run() {
    return new RequestRun(one, request);
  }

  private Behavior<RequestSession.Command> resolve() {
    getContext()
        .ask(
            Resolution.class,
            one.partners.steering(),
            ASK,
            replyTo ->
                new SteeringTable.Resolve(
                    one.source.getSteering(),
                    one.source.getLabels(),
                    one.source.getPolicies(),
                    replyTo),
            RequestSession.Resolved::new);
    if (phase != Phase.WAITING_FOR_VECTOR) {
      phase = Phase.STEERED;
    }
    return this;
  }

  private Behavior<RequestSession.Command> onResolved(RequestSession.Resolved resolved) {
    if (resolved.resolution() instanceof Resolution.Pinned pinned) {
      one.steering = pinned.steering();
      stopWaitingForVector();
      return run();
    }
    if (resolved.resolution() instanceof Resolution.Impossible impossible) {
      stopWaitingForVector();
      return one.fail(impossible.failure());
    }
    if (resolved.resolution() instanceof Resolution.Missing missing) {
      return waitForVector(missing.failure());
    }
    getContext().getLog().warn("request={} steering is not answered yet", one.requestId());
    return resolve();
  }

  /** Fails closed: the request never runs unsteered, and only a few may wait. */
  private Behavior<RequestSession.Command> waitForVector(Failure failure) {
    Duration left = Duration.between(one.shared.clock().instant(), vectorDeadline);
    boolean waits = phase == Phase.WAITING_FOR_VECTOR;
    if (left.isNegative() || left.isZero()) {
      stopWaitingForVector();
      return one.fail(failure);
    }
    if (!waits && !one.shared.vectorWaits().tryAcquire()) {
      return one.fail(failure);
    }
    phase = Phase.WAITING_FOR_VECTOR;
    one.timers.startSingleTimer(new RequestSession.WaitOver(), left);
    return this;
  }

  private void stopWaitingForVector() {
    if (phase == Phase.WAITING_FOR_VECTOR) {
      one.shared.vectorWaits().release();
      phase = Phase.STEERED;
    }
  }

  private Behavior<RequestSession.Command> onVectorsChanged() {
    return phase == Phase.WAITING_FOR_VECTOR ? resolve() : this;
  }

  // Either wait, and its end.

  private Behavior<RequestSession.Command> onWaitOver() {
    if (phase == Phase.WAITING_FOR_VECTOR) {
      return resolve();
    }
    if (phase != Phase.WAITING_FOR_DECODER) {
      return this;
    }
    if (one.shared.clock().instant().isAfter(request.deadline())) {
      stopWaitingForDecoder();
      return late(
          request.deadline(),
          "while its capture waited (%s); set a later one, or leave capture out"
              .formatted(one.partners.captures().reason()));
    }
    if (isHeldUp()) {
      // The timer may be early: it does not see that the clock is set.
      startWaitOver();
      return this;
    }
    stopWaitingForDecoder();
    return steer();
  }

  private Behavior<RequestSession.Command> onCancel(RequestSession.Cancel cancel) {
    one.cancelReason = cancel.reason();
    if (phase == Phase.LOOKED_UP) {
      return this;
    }
    stopWaitingForDecoder();
    stopWaitingForVector();
    return one.cancelled();
  }

  private Behavior<RequestSession.Command> onGiveBack() {
    stopWaitingForDecoder();
    stopWaitingForVector();
    return one.over(false);
  }
}
