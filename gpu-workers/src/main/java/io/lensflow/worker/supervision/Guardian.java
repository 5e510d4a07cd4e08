package io.lensflow.worker.supervision;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.ChildFailed;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import java.util.concurrent.CompletableFuture;

/** The root of a worker's actors: one model, and the end of the process if that is lost. */
public final class Guardian extends AbstractBehavior<Guardian.Command> {
  /** What the guardian is asked to do. */
  public sealed interface Command {}

  /** Stops in an orderly way; completes when nothing runs any more. */
  public record Stop(CompletableFuture<Void> done) implements Command {}

  private record ModelStopped() implements Command {}

  private final Lifecycle lifecycle;
  private final ActorRef<ModelSupervisor.Command> model;
  private CompletableFuture<Void> stopping;

  public static Behavior<Command> create(WorkerParts parts) {
    return Behaviors.setup(ctx -> new Guardian(ctx, parts));
  }

  private Guardian(ActorContext<Command> context, WorkerParts parts) {
    super(context);
    this.lifecycle = parts.lifecycle();
    this.model = context.spawn(ModelSupervisor.create(parts), "model");
    context.watch(model);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Stop.class, this::onStop)
        .onMessage(ModelStopped.class, stopped -> onStopped())
        .onSignal(ChildFailed.class, failed -> onFailed(failed.cause()))
        .onSignal(Terminated.class, terminated -> onStopped())
        .build();
  }

  private Behavior<Command> onStop(Stop stop) {
    stopping = stop.done();
    ActorRef<ModelSupervisor.Stopped> replies =
        getContext().messageAdapter(ModelSupervisor.Stopped.class, stopped -> new ModelStopped());
    model.tell(new ModelSupervisor.Stop(replies));
    return this;
  }

  private Behavior<Command> onStopped() {
    if (stopping != null) {
      stopping.complete(null);
    }
    return Behaviors.stopped();
  }

  private Behavior<Command> onFailed(Throwable cause) {
    lifecycle.lost(cause);
    return onStopped();
  }
}
