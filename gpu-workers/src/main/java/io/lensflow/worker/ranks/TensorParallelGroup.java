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
 * One model replica, of R tensor-parallel ranks: runs one step at a time, keeps the values of every
 * version that is to be prepared, and brings an engine that failed back with all of them before it
 * takes the next step.
 *
 * <p>Ranks are threads of one engine, and one that fails takes the others with it: so one actor,
 * {@link EngineActor}, owns them all, and is what restarts.
 */
public final class TensorParallelGroup extends AbstractBehavior<TensorParallelGroup.Command> {
  /** Dispatcher with one thread per actor: kernels run best on a thread of their own. */
  public static final String DEVICE_DISPATCHER = "lensflow-dispatchers.device";

  /** What the group is asked to do. */
  public sealed interface Command {}

  /** Runs a step; answered by {@link StepDone} or {@link StepFailed}. */
  public record RunStep(StepPlan plan, ActorRef<StepReply> replyTo) implements Command {}

  /** Prepares a version; answered once every rank has it, also after a restart. */
  public record Prepare(VectorId vector, List<SiteVector> sites, ActorRef<VectorPrepared> replyTo)
      implements Command {}

  /** Frees a version that no running sequence uses. */
  public record Release(VectorId vector) implements Command {}

  private record EngineReported(EngineActor.Report report) implements Command {}

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
  private final ActorRef<EngineActor.Command> owner;
  private final Map<VectorId, Version> versions = new LinkedHashMap<>();
  private final Set<VectorId> unprepared = new HashSet<>();

  private EngineInfo engine;
  private boolean up;
  private boolean everUp;
  private RunStep running;
  private Throwable lastFailure;

  /**
   * @param source loads an engine
   * @param restarts how the engine comes back
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
    ActorRef<EngineActor.Report> reports =
        context.messageAdapter(EngineActor.Report.class, EngineReported::new);
    this.owner =
        context.spawn(
            EngineActor.create(source, restarts, reports),
            "engine",
            DispatcherSelector.fromConfig(DEVICE_DISPATCHER));
    context.watch(owner);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(RunStep.class, this::onRunStep)
        .onMessage(Prepare.class, this::onPrepare)
        .onMessage(Release.class, this::onRelease)
        .onMessage(EngineReported.class, message -> onReport(message.report()))
        .onSignal(Terminated.class, signal -> onEngineGone())
        .build();
  }

  private Behavior<Command> onRunStep(RunStep step) {
    if (!up) {
      step.replyTo().tell(new StepFailed(step.plan().id(), "the engine is restarting"));
    } else if (running != null) {
      throw new IllegalStateException("a step was asked for while one runs");
    } else {
      running = step;
      owner.tell(new EngineActor.Step(step.plan()));
    }
    return this;
  }

  private Behavior<Command> onPrepare(Prepare prepare) {
    versions.put(prepare.vector(), new Version(prepare.sites(), prepare.replyTo()));
    if (engine != null) {
      owner.tell(new EngineActor.Prepare(prepare.vector(), prepare.sites()));
    }
    return this;
  }

  private Behavior<Command> onRelease(Release release) {
    versions.remove(release.vector());
    if (engine != null) {
      owner.tell(new EngineActor.Release(release.vector()));
    }
    return this;
  }

  private Behavior<Command> onReport(EngineActor.Report report) {
    if (report instanceof EngineActor.Up loaded) {
      return onEngineUp(loaded);
    }
    if (report instanceof EngineActor.Stepped stepped) {
      return onStepped(stepped);
    }
    if (report instanceof EngineActor.Prepared prepared) {
      return onPrepared(prepared);
    }
    return onFailed((EngineActor.Failed) report);
  }

  private Behavior<Command> onEngineUp(EngineActor.Up loaded) {
    engine = loaded.engine();
    unprepared.clear();
    unprepared.addAll(versions.keySet());
    versions.forEach(
        (vector, version) -> owner.tell(new EngineActor.Prepare(vector, version.sites)));
    upIfComplete();
    return this;
  }

  private Behavior<Command> onStepped(EngineActor.Stepped stepped) {
    RunStep step = running;
    running = null;
    step.replyTo().tell(new StepDone(stepped.result()));
    return this;
  }

  private Behavior<Command> onPrepared(EngineActor.Prepared prepared) {
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

  private Behavior<Command> onFailed(EngineActor.Failed failed) {
    lastFailure = failed.cause();
    up = false;
    engine = null;
    if (!everUp && failed.loading()) {
      listener.tell(new NeverLoaded(failed.cause()));
      return Behaviors.stopped();
    }
    String doing = failed.loading() ? "failed to load" : "failed";
    log.error("the engine {}", doing, failed.cause());
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

  /** Supervision has given the engine up. */
  private Behavior<Command> onEngineGone() {
    listener.tell(new Lost(lastFailure));
    return Behaviors.stopped();
  }
}
