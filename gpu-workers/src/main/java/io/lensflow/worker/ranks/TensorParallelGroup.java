package io.lensflow.worker.ranks;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.DispatcherSelector;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.lensflow.worker.steering.SiteVector;
import io.lensflow.worker.steering.VectorId;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;

/**
 * One model replica: runs one step at a time on its rank, keeps the values of every version that is
 * to be prepared, and brings a failed rank back with all of them before it takes the next step.
 *
 * <p>There is one rank today. What depends on that is here and nowhere else: the acknowledgement of
 * a version and the result of a step come from rank 0.
 */
public final class TensorParallelGroup extends AbstractBehavior<TensorParallelGroup.Command> {
  /** Dispatcher with one thread per actor: kernels run best on a thread of their own. */
  public static final String DEVICE_DISPATCHER = "lensflow-dispatchers.device";

  /** What the group is asked to do. */
  public sealed interface Command {}

  /** Runs a step; answered by {@link StepDone} or {@link StepFailed}. */
  public record RunStep(StepPlan plan, ActorRef<StepReply> replyTo) implements Command {}

  /** Prepares a version on every rank; answered once all have it, also after a restart. */
  public record Prepare(VectorId vector, List<SiteVector> sites, ActorRef<VectorPrepared> replyTo)
      implements Command {}

  /** Frees a version that no running sequence uses. */
  public record Release(VectorId vector) implements Command {}

  private record RankReported(RankActor.Report report) implements Command {}

  /** What became of a step. */
  public sealed interface StepReply {}

  /** All sequences have moved on. */
  public record StepDone(StepResult result) implements StepReply {}

  /** The step failed and all sequences are lost. */
  public record StepFailed(long stepId, String reason) implements StepReply {}

  /** A version is on every rank, or {@code problem} says why not. */
  public record VectorPrepared(VectorId vector, String problem) {}

  /** How the group is. */
  public sealed interface Status {}

  /** Ready to step; every version is prepared. */
  public record Up(EngineInfo engine) implements Status {}

  /** Restarting; running sequences are lost. */
  public record Down(String reason) implements Status {}

  /** The checkpoint could not be loaded at the first try: nothing to wait for. */
  public record NeverLoaded(Throwable cause) implements Status {}

  /** Only a new process helps. */
  public record Lost(Throwable cause) implements Status {}

  private static final class Version {
    private final List<SiteVector> sites;
    private ActorRef<VectorPrepared> waiting;

    private Version(List<SiteVector> sites, ActorRef<VectorPrepared> waiting) {
      this.sites = sites;
      this.waiting = waiting;
    }
  }

  private final Logger log;
  private final ActorRef<Status> listener;
  private final ActorRef<RankActor.Command> rank;
  private final Map<VectorId, Version> versions = new LinkedHashMap<>();
  private final Set<VectorId> unprepared = new HashSet<>();

  private EngineInfo engine;
  private boolean up;
  private boolean everUp;
  private RunStep running;
  private Throwable lastFailure;

  /**
   * @param source loads an engine
   * @param restarts how a rank comes back
   * @param listener hears how the group is
   */
  public static Behavior<Command> create(
      EngineSource source, RestartPolicy restarts, ActorRef<Status> listener) {
    return Behaviors.setup(ctx -> new TensorParallelGroup(ctx, source, restarts, listener));
  }

  private TensorParallelGroup(
      ActorContext<Command> context,
      EngineSource source,
      RestartPolicy restarts,
      ActorRef<Status> listener) {
    super(context);
    this.log = context.getLog();
    this.listener = listener;
    ActorRef<RankActor.Report> reports =
        context.messageAdapter(RankActor.Report.class, RankReported::new);
    this.rank =
        context.spawn(
            RankActor.create(0, source, restarts, reports),
            "rank-0",
            DispatcherSelector.fromConfig(DEVICE_DISPATCHER));
    context.watch(rank);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(RunStep.class, this::onRunStep)
        .onMessage(Prepare.class, this::onPrepare)
        .onMessage(Release.class, this::onRelease)
        .onMessage(RankReported.class, message -> onReport(message.report()))
        .onSignal(Terminated.class, signal -> onRankGone())
        .build();
  }

  private Behavior<Command> onRunStep(RunStep step) {
    if (!up) {
      step.replyTo().tell(new StepFailed(step.plan().id(), "the engine is restarting"));
    } else if (running != null) {
      throw new IllegalStateException("a step was asked for while one runs");
    } else {
      running = step;
      rank.tell(new RankActor.Step(step.plan()));
    }
    return this;
  }

  private Behavior<Command> onPrepare(Prepare prepare) {
    versions.put(prepare.vector(), new Version(prepare.sites(), prepare.replyTo()));
    if (engine != null) {
      rank.tell(new RankActor.Prepare(prepare.vector(), prepare.sites()));
    }
    return this;
  }

  private Behavior<Command> onRelease(Release release) {
    versions.remove(release.vector());
    if (engine != null) {
      rank.tell(new RankActor.Release(release.vector()));
    }
    return this;
  }

  private Behavior<Command> onReport(RankActor.Report report) {
    if (report instanceof RankActor.Up rankUp) {
      return onRankUp(rankUp);
    }
    if (report instanceof RankActor.Stepped stepped) {
      return onStepped(stepped);
    }
    if (report instanceof RankActor.Prepared prepared) {
      return onPrepared(prepared);
    }
    return onFailed((RankActor.Failed) report);
  }

  private Behavior<Command> onRankUp(RankActor.Up rankUp) {
    engine = rankUp.engine();
    unprepared.clear();
    unprepared.addAll(versions.keySet());
    versions.forEach((vector, version) -> rank.tell(new RankActor.Prepare(vector, version.sites)));
    upIfComplete();
    return this;
  }

  private Behavior<Command> onStepped(RankActor.Stepped stepped) {
    RunStep step = running;
    running = null;
    step.replyTo().tell(new StepDone(stepped.result()));
    return this;
  }

  private Behavior<Command> onPrepared(RankActor.Prepared prepared) {
    unprepared.remove(prepared.vector());
    Version version = versions.get(prepared.vector());
    if (version != null) {
      if (prepared.problem() != null) {
        log.warn("vector={} could not be prepared: {}", prepared.vector(), prepared.problem());
        versions.remove(prepared.vector());
      }
      if (version.waiting != null) {
        version.waiting.tell(new VectorPrepared(prepared.vector(), prepared.problem()));
        version.waiting = null;
      }
    }
    upIfComplete();
    return this;
  }

  private void upIfComplete() {
    if (!up && engine != null && unprepared.isEmpty()) {
      up = true;
      everUp = true;
      listener.tell(new Up(engine));
    }
  }

  private Behavior<Command> onFailed(RankActor.Failed failed) {
    lastFailure = failed.cause();
    up = false;
    engine = null;
    if (!everUp && failed.loading()) {
      listener.tell(new NeverLoaded(failed.cause()));
      return Behaviors.stopped();
    }
    String doing = failed.loading() ? "failed to load" : "failed";
    log.error("rank={} {}", failed.rank(), doing, failed.cause());
    if (EngineFailures.isSticky(failed.cause())) {
      listener.tell(new Lost(failed.cause()));
      return Behaviors.stopped();
    }
    String reason = String.valueOf(failed.cause().getMessage());
    if (running != null) {
      running.replyTo().tell(new StepFailed(running.plan().id(), reason));
      running = null;
    }
    listener.tell(new Down(reason));
    return this;
  }

  /** Supervision has given the rank up. */
  private Behavior<Command> onRankGone() {
    listener.tell(new Lost(lastFailure));
    return Behaviors.stopped();
  }
}
