package io.lensflow.worker.intake;

import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.Receive;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.scheduling.StepScheduler;

/**
 * A request that runs: attempt after attempt, until one comes to a durable end or no more are
 * allowed.
 */
final class RequestRun extends AbstractBehavior<RequestSession.Command> {
  private final RequestCase one;
  private final GenerationRequest request;
  private Run run;

  /** Begins the first attempt here. */
  RequestRun(RequestCase one, GenerationRequest request) {
    super(one.context);
    this.one = one;
    this.request = request;
    submit();
  }

  @Override
  public Receive<RequestSession.Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(RequestSession.Cancel.class, this::onCancel)
        .onMessage(RequestSession.AttemptFailed.class, this::onAttemptFailed)
        .onMessage(RequestSession.Published.class, this::onPublished)
        .onMessage(RequestSession.GiveBack.class, this::onGiveBack)
        .onMessage(RequestSession.Resolved.class, one::onLateAnswer)
        .onAnyMessage(message -> this)
        .build();
  }

  private void submit() {
    int number = one.attempts.size() + 1;
    boolean last = number >= one.shared.settings().maxAttempts();
    run =
        new Run(request, new Attempt(Ids.newId(), number), one.steering, last, one.delivery.lane());
    one.shared.scheduler().tell(new StepScheduler.Submit(run));
  }

  private Behavior<RequestSession.Command> onCancel(RequestSession.Cancel cancel) {
    one.cancelReason = cancel.reason();
    one.shared.scheduler().tell(new StepScheduler.Cancel(one.requestId(), cancel.reason()));
    return this;
  }

  private Behavior<RequestSession.Command> onAttemptFailed(RequestSession.AttemptFailed failed) {
    return run.attemptId().equals(failed.report().attemptId())
        ? again(failed.report().reason())
        : this;
  }

  private Behavior<RequestSession.Command> onPublished(RequestSession.Published published) {
    ActivationPublisher.Report report = published.report();
    if (!run.attemptId().equals(report.attemptId())) {
      return this;
    }
    if (report instanceof ActivationPublisher.ChunksLost lost) {
      one.shared.scheduler().tell(new StepScheduler.Discard(lost.attemptId()));
      note(CompletionEvents.WORKER_ERROR, lost.reason());
      return again(lost.reason());
    }
    if (report instanceof ActivationPublisher.TerminalLost lost) {
      one.attempts.add(failed(lost.reason()));
      return one.exhaust("its end cannot be written");
    }
    return one.over(true);
  }

  private Behavior<RequestSession.Command> again(String reason) {
    one.shared.metrics().attemptFailed();
    one.attempts.add(failed(reason));
    if (one.cancelReason != null) {
      return one.cancelled();
    }
    if (one.isExhausted()) {
      return one.exhaust("no further attempt is allowed");
    }
    getContext().getLog().warn("request={} runs again after: {}", one.requestId(), reason);
    submit();
    return this;
  }

  private PastAttempt failed(String reason) {
    return new PastAttempt(run.attemptId(), one.partners.events().worker(), reason);
  }

  /** Says that the attempt has failed; nothing waits for it. */
  private void note(String code, String message) {
    one.partners
        .records()
        .note(one.partners.events().attemptFailed(run, code, message), one.traceparent);
  }

  private Behavior<RequestSession.Command> onGiveBack(RequestSession.GiveBack giveBack) {
    one.shared.scheduler().tell(new StepScheduler.Discard(run.attemptId()));
    note(CompletionEvents.WORKER_STOPPED, "the worker was stopped; another goes on");
    return one.over(false);
  }
}
