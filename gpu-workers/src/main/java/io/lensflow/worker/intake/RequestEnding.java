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
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;

/**
 * Writes how a request ends that has no attempt running: first the dead letter, if it is given up,
 * then the terminal event. Tries again for as long as it takes, because the request is held until
 * its end is durable. Short-lived: answers once and stops.
 */
final class RequestEnding extends AbstractBehavior<RequestEnding.Command> {
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** What it says to itself. */
  sealed interface Command {}

  private record Write() implements Command {}

  private record Written(Throwable problem) implements Command {}

  /** The end is durable. */
  record Durable(boolean deadLetter) {}

  /**
   * How a request ends.
   *
   * @param terminal its last event
   * @param traceparent trace context, null for none
   * @param givenUp why its record goes to the dead letters; null if it does not
   * @param attempts attempts made, for the dead letter
   */
  record End(CompletionEvent terminal, String traceparent, Failure givenUp, int attempts) {}

  private final Logger log;
  private final TimerScheduler<Command> timers;
  private final IntakeRecords records;
  private final Delivery delivery;
  private final End end;
  private final ActorRef<Durable> replyTo;
  private boolean letterIsDue;

  static Behavior<Command> create(
      IntakeRecords records, Delivery delivery, End end, ActorRef<Durable> replyTo) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers -> new RequestEnding(ctx, timers, records, delivery, end, replyTo)));
  }

  private RequestEnding(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      IntakeRecords records,
      Delivery delivery,
      End end,
      ActorRef<Durable> replyTo) {
    super(context);
    this.log = context.getLog();
    this.timers = timers;
    this.records = records;
    this.delivery = delivery;
    this.end = end;
    this.replyTo = replyTo;
    this.letterIsDue = end.givenUp() != null;
    write();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Write.class, message -> write())
        .onMessage(Written.class, this::onWritten)
        .build();
  }

  private Behavior<Command> write() {
    CompletionStage<Void> done =
        letterIsDue
            ? records.deadLetter(
                delivery, end.givenUp(), end.terminal().getRequestId(), end.attempts())
            : records.event(end.terminal(), end.traceparent());
    getContext().pipeToSelf(done, (nothing, e) -> new Written(e));
    return this;
  }

  private Behavior<Command> onWritten(Written written) {
    if (written.problem() != null) {
      log.warn(
          "request={} {} waits: {}",
          end.terminal().getRequestId(),
          letterIsDue ? "dead letter" : end.terminal().getType(),
          written.problem().toString());
      timers.startSingleTimer(new Write(), RETRY);
      return this;
    }
    if (letterIsDue) {
      letterIsDue = false;
      return write();
    }
    replyTo.tell(new Durable(end.givenUp() != null));
    return Behaviors.stopped();
  }
}
