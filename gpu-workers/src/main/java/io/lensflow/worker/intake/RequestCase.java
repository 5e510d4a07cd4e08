package io.lensflow.worker.intake;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.steering.PinnedSteering;
import io.lensflow.worker.steering.Resolution;
import io.lensflow.worker.steering.SteeringTable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a {@link RequestSession} knows of its request at every stage, and the ways in which it ends.
 * Not thread-safe: the session's own.
 */
final class RequestCase {
  final ActorContext<RequestSession.Command> context;
  final TimerScheduler<RequestSession.Command> timers;
  final RequestSession.Shared shared;
  final RequestIntake.Partners partners;
  final PromptRequest source;
  final Delivery delivery;
  final String traceparent;
  final ActorRef<RequestSession.Report> intake;

  /** Attempts that count against the limit. */
  final List<PastAttempt> attempts = new ArrayList<>();

  /** Why the request is to end; null if nobody asked for that. */
  String cancelReason;

  /** Vectors held for the request. */
  PinnedSteering steering = PinnedSteering.NONE;

  RequestCase(
      ActorContext<RequestSession.Command> context,
      TimerScheduler<RequestSession.Command> timers,
      RequestSession.Shared shared,
      PromptRequest source,
      Delivery delivery,
      String cancelReason,
      ActorRef<RequestSession.Report> intake) {
    this.context = context;
    this.timers = timers;
    this.shared = shared;
    this.partners = shared.partners();
    this.source = source;
    this.delivery = delivery;
    this.cancelReason = cancelReason;
    this.intake = intake;
    this.traceparent =
        LensflowHeaders.get(delivery.record().headers(), LensflowHeaders.TRACEPARENT).orElse(null);
  }

  String requestId() {
    return source.getRequestId();
  }

  /** Whether no further attempt is allowed. */
  boolean isExhausted() {
    return attempts.size() >= shared.settings().maxAttempts();
  }

  /** Gives the request up: its record is kept among the dead letters, then it fails. */
  Behavior<RequestSession.Command> exhaust(String reason) {
    String message =
        "given up after %d attempts, %s%s"
            .formatted(
                attempts.size(),
                reason,
                attempts.stream()
                    .map(attempt -> "; attempt " + attempt.describe())
                    .collect(Collectors.joining()));
    Failure failure = new Failure(CompletionEvents.ATTEMPTS_EXHAUSTED, message, null);
    context.getLog().warn("request={} {}", requestId(), message);
    return end(partners.events().failed(source, null, failure), failure);
  }

  /** The request cannot be served. */
  Behavior<RequestSession.Command> fail(Failure failure) {
    context
        .getLog()
        .info(
            "request={} failed code={} field={}: {}",
            requestId(),
            failure.getCode(),
            failure.getField(),
            failure.getMessage());
    return end(partners.events().failed(source, null, failure), null);
  }

  /** The request was cancelled while no attempt ran. */
  Behavior<RequestSession.Command> cancelled() {
    return end(partners.events().cancelled(source, null, cancelReason), null);
  }

  /** Ends the request while no attempt runs. */
  private Behavior<RequestSession.Command> end(CompletionEvent terminal, Failure givenUp) {
    context.spawnAnonymous(
        RequestEnding.create(
            partners.records(),
            delivery,
            new RequestEnding.End(terminal, traceparent, givenUp, attempts.size()),
            context.messageAdapter(RequestEnding.Durable.class, RequestSession.Ended::new)),
        DispatcherSelector.sameAsParent());
    return Behaviors.receive(RequestSession.Command.class)
        .onMessage(RequestSession.Ended.class, this::onEnded)
        .onMessage(RequestSession.GiveBack.class, message -> over(false))
        .onMessage(RequestSession.Resolved.class, this::onLateAnswer)
        .onAnyMessage(message -> Behaviors.same())
        .build();
  }

  private Behavior<RequestSession.Command> onEnded(RequestSession.Ended ended) {
    if (ended.durable().deadLetter()) {
      shared.metrics().deadLetter();
    }
    return over(true);
  }

  /** The steering table answers a question that no longer matters. */
  Behavior<RequestSession.Command> onLateAnswer(RequestSession.Resolved resolved) {
    if (resolved.resolution() instanceof Resolution.Pinned pinned) {
      unpin(pinned.steering());
    }
    return Behaviors.same();
  }

  /**
   * The session is over.
   *
   * @param acknowledge whether the request has a durable end
   */
  Behavior<RequestSession.Command> over(boolean acknowledge) {
    unpin(steering);
    intake.tell(new RequestSession.Over(requestId(), acknowledge));
    return Behaviors.stopped();
  }

  private void unpin(PinnedSteering pinned) {
    if (!pinned.uses().isEmpty()) {
      partners.steering().tell(new SteeringTable.Unpin(pinned));
    }
  }
}
