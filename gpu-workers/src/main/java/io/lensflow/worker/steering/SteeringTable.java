package io.lensflow.worker.steering;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.lensflow.records.Failure;
import io.lensflow.records.PolicyState;
import io.lensflow.records.PolicyUse;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringRequest;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.TensorParallelGroup;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;

/**
 * The versioned vectors and the policies of a worker: takes what its tail reads, has every rank
 * prepare a version, and only then lets requests have it, all sites at once. What a request has
 * pinned stays on the ranks until it is given back, also when it was retired meanwhile.
 */
public final class SteeringTable extends AbstractBehavior<SteeringTable.Command> {
  private static final Duration TICK = Duration.ofMillis(500);

  /** What the table is asked to do. */
  public sealed interface Command {}

  /**
   * Applies records in order.
   *
   * @param nextOffsets next offsets, per {@code topic-partition}
   * @param done completed when they are applied, so that their reader never runs ahead
   */
  public record Apply(
      List<SteeringUpdate> updates, Map<String, Long> nextOffsets, CompletableFuture<Void> done)
      implements Command {}

  /** Everything that was in the topics at the start has been applied. */
  public record CaughtUp() implements Command {}

  /**
   * Pins what a request is to be steered by: what it names and what policies say.
   *
   * @param wishes the request's own
   * @param labels the request's, which policies look at
   * @param policies whether policies hold for it
   */
  public record Resolve(
      List<SteeringRequest> wishes,
      Map<String, String> labels,
      PolicyUse policies,
      ActorRef<Resolution> replyTo)
      implements Command {}

  /** Gives back what was pinned. */
  public record Unpin(PinnedSteering steering) implements Command {}

  private record Prepared(TensorParallelGroup.VectorPrepared reply) implements Command {}

  private record Tick() implements Command {}

  /** What listeners hear. */
  public sealed interface Event {}

  /** Vectors came, went or were refused, or offsets moved on. */
  public record Changed(SteeringSnapshot snapshot) implements Event {}

  /** Said once: all that was published before the start can be used. */
  public record Ready() implements Event {}

  private final Logger log;
  private final SteeringCatalog catalog;
  private final PolicyCatalog policies;
  private final ActorRef<TensorParallelGroup.Command> group;
  private final List<ActorRef<? super Event>> listeners;
  private final Duration patience;
  private final InstantSource clock;
  private final ActorRef<TensorParallelGroup.VectorPrepared> replies;
  private final Map<String, Long> offsets = new HashMap<>();
  private SteeringSnapshot told = SteeringSnapshot.EMPTY;
  private boolean caughtUp;
  private boolean ready;

  /**
   * @param model served name
   * @param engine what vectors must fit
   * @param group prepares vectors
   * @param listeners hear of every change
   * @param patience how long a manifest waits for sites that are absent
   */
  public static Behavior<Command> create(
      String model,
      EngineInfo engine,
      ActorRef<TensorParallelGroup.Command> group,
      List<ActorRef<? super Event>> listeners,
      Duration patience,
      InstantSource clock) {
    return Behaviors.setup(
        ctx ->
            Behaviors.withTimers(
                timers ->
                    new SteeringTable(
                        ctx,
                        timers,
                        new SteeringCatalog(model, engine),
                        new PolicyCatalog(model),
                        group,
                        listeners,
                        patience,
                        clock)));
  }

  private SteeringTable(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      SteeringCatalog catalog,
      PolicyCatalog policies,
      ActorRef<TensorParallelGroup.Command> group,
      List<ActorRef<? super Event>> listeners,
      Duration patience,
      InstantSource clock) {
    super(context);
    this.log = context.getLog();
    this.catalog = catalog;
    this.policies = policies;
    this.group = group;
    this.listeners = List.copyOf(listeners);
    this.patience = patience;
    this.clock = clock;
    this.replies = context.messageAdapter(TensorParallelGroup.VectorPrepared.class, Prepared::new);
    timers.startTimerWithFixedDelay(new Tick(), TICK);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Apply.class, this::onApply)
        .onMessage(CaughtUp.class, this::onCaughtUp)
        .onMessage(Resolve.class, this::onResolve)
        .onMessage(Unpin.class, this::onUnpin)
        .onMessage(Prepared.class, this::onPrepared)
        .onMessage(Tick.class, this::onTick)
        .build();
  }

  private Behavior<Command> onApply(Apply apply) {
    for (SteeringUpdate update : apply.updates()) {
      if (update instanceof SteeringUpdate.Policy policy) {
        policies.apply(policy, !caughtUp);
      } else if (update instanceof SteeringUpdate.BrokenPolicy broken) {
        policies.refuse(broken, !caughtUp);
      } else {
        catalog.apply(update, clock.instant());
      }
    }
    offsets.putAll(apply.nextOffsets());
    settle();
    apply.done().complete(null);
    return this;
  }

  private Behavior<Command> onCaughtUp(CaughtUp message) {
    caughtUp = true;
    settle();
    return this;
  }

  private Behavior<Command> onResolve(Resolve resolve) {
    resolve.replyTo().tell(resolution(resolve));
    return this;
  }

  private Resolution resolution(Resolve resolve) {
    List<SteeringWish> own = new ArrayList<>();
    for (SteeringRequest vector : resolve.wishes()) {
      own.add(new SteeringWish(vector, "steering[%d]".formatted(own.size()), null));
    }
    if (resolve.policies() == PolicyUse.IGNORE) {
      return catalog.resolve(own);
    }
    Failure obstacle = policies.obstacle(resolve.labels());
    return obstacle == null
        ? catalog.resolve(policies.wishes(resolve.labels(), own))
        : new Resolution.Missing(obstacle);
  }

  private Behavior<Command> onUnpin(Unpin unpin) {
    catalog.unpin(unpin.steering());
    settle();
    return this;
  }

  private Behavior<Command> onPrepared(Prepared prepared) {
    catalog.prepared(prepared.reply().vector(), prepared.reply().problem());
    settle();
    return this;
  }

  private Behavior<Command> onTick(Tick tick) {
    catalog.refuseIncomplete(clock.instant(), patience);
    settle();
    return this;
  }

  /** Draws the consequences of a change. */
  private void settle() {
    for (SteeringCatalog.Preparation complete : catalog.takeComplete()) {
      group.tell(new TensorParallelGroup.Prepare(complete.vector(), complete.sites(), replies));
    }
    catalog.settleAliases();
    policies.settle(catalog.resolver());
    catalog.takeReleasable().forEach(id -> group.tell(new TensorParallelGroup.Release(id)));
    SteeringSnapshot now =
        new SteeringSnapshot(
            Map.copyOf(offsets), catalog.loaded(), catalog.refused(), policies.states());
    if (!now.equals(told)) {
      logChanges(now);
      told = now;
      listeners.forEach(listener -> listener.tell(new Changed(now)));
    }
    if (caughtUp && !ready && !catalog.isPreparing()) {
      ready = true;
      listeners.forEach(listener -> listener.tell(new Ready()));
    }
  }

  private void logChanges(SteeringSnapshot now) {
    for (RefusedVector one : now.refused()) {
      if (!told.refused().contains(one)) {
        log.warn("vector={}@{} refused: {}", one.getName(), one.getVersion(), one.getReason());
      }
    }
    for (PolicyState one : now.policies()) {
      if (!told.policies().contains(one)) {
        log.info(
            "policy={} version={} newest={} {}",
            one.getPolicy(),
            one.getVersion(),
            one.getNewest(),
            one.getReason());
      }
    }
  }
}
