package io.lensflow.worker.ranks;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.PreRestart;
import akka.actor.typed.SupervisorStrategy;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.lensflow.engine.Engine;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.worker.steering.SiteVector;
import io.lensflow.worker.steering.SteeringUse;
import io.lensflow.worker.steering.VectorId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Owns the engine of a group, all its ranks, with its open sequences and prepared vectors, on a
 * pinned thread of its own, so that the engine is loaded, stepped and closed by one thread, which
 * runs rank 0; the engine has threads of its own for the others. Nothing native leaves it.
 *
 * <p>After an error of any rank it reports and is restarted with backoff, the engine loaded anew.
 * Vectors are prepared again by the group, which keeps their values; open sequences are lost.
 */
public final class EngineActor extends AbstractBehavior<EngineActor.Command> {
  /** What the actor is asked to do. */
  public sealed interface Command {}

  /** Runs one step; answered by {@link Stepped} or {@link Failed}. */
  public record Step(StepPlan plan) implements Command {}

  /** Puts a version on the device, between two steps; answered by {@link Prepared}. */
  public record Prepare(VectorId vector, List<SiteVector> sites) implements Command {}

  /** Frees a version that no sequence uses any more. */
  public record Release(VectorId vector) implements Command {}

  /** What the group is told. */
  public sealed interface Report {}

  /** The engine is loaded; nothing is prepared yet. */
  public record Up(EngineInfo engine) implements Report {}

  /** A step is done. */
  public record Stepped(StepResult result) implements Report {}

  /** A version is on the device, or could not be put there ({@code problem} says why). */
  public record Prepared(VectorId vector, String problem) implements Report {}

  /** The engine failed, or could not be loaded; the actor is about to restart. */
  public record Failed(boolean loading, Throwable cause) implements Report {}

  private record Site(VectorId vector, HookPoint hookPoint, int layer) {}

  private final ActorRef<Report> group;
  private final Engine engine;
  private final Map<Long, Sequence> sequences = new HashMap<>();
  private final Map<Site, PreparedVector> vectors = new HashMap<>();

  /**
   * @param source loads the engine
   * @param restarts how it comes back
   * @param group hears of everything
   */
  public static Behavior<Command> create(
      EngineSource source, RestartPolicy restarts, ActorRef<Report> group) {
    return Behaviors.supervise(Behaviors.<Command>setup(ctx -> start(ctx, source, group)))
        .onFailure(
            EngineFailure.class,
            SupervisorStrategy.restartWithBackoff(restarts.minBackoff(), restarts.maxBackoff(), 0.1)
                .withMaxRestarts(restarts.maxRestarts())
                .withResetBackoffAfter(restarts.maxBackoff().multipliedBy(6))
                // The group logs the cause, and knows what it means.
                .withLoggingEnabled(false));
  }

  private static Behavior<Command> start(
      ActorContext<Command> context, EngineSource source, ActorRef<Report> group) {
    Engine engine;
    try {
      engine = source.load();
    } catch (Throwable e) {
      group.tell(new Failed(true, e));
      throw new EngineFailure("the engine cannot be loaded", e);
    }
    group.tell(new Up(EngineInfo.of(engine)));
    return new EngineActor(context, group, engine);
  }

  private EngineActor(ActorContext<Command> context, ActorRef<Report> group, Engine engine) {
    super(context);
    this.group = group;
    this.engine = engine;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Step.class, this::onStep)
        .onMessage(Prepare.class, this::onPrepare)
        .onMessage(Release.class, this::onRelease)
        .onSignal(PreRestart.class, signal -> free())
        .onSignal(PostStop.class, signal -> free())
        .build();
  }

  private Behavior<Command> onStep(Step step) {
    try {
      group.tell(new Stepped(run(step.plan())));
      return this;
    } catch (Throwable e) {
      group.tell(new Failed(false, e));
      throw new EngineFailure("the engine failed in step " + step.plan().id(), e);
    }
  }

  private Behavior<Command> onPrepare(Prepare prepare) {
    List<Site> done = new ArrayList<>();
    try {
      for (SiteVector site : prepare.sites()) {
        Site key = new Site(prepare.vector(), site.hookPoint(), site.layer());
        PreparedVector before = vectors.put(key, engine.prepare(site.values()));
        done.add(key);
        if (before != null) {
          before.close();
        }
      }
      group.tell(new Prepared(prepare.vector(), null));
    } catch (RuntimeException e) {
      done.forEach(key -> vectors.remove(key).close());
      group.tell(new Prepared(prepare.vector(), String.valueOf(e.getMessage())));
    }
    return this;
  }

  private Behavior<Command> onRelease(Release release) {
    vectors
        .entrySet()
        .removeIf(
            entry -> {
              boolean mine = entry.getKey().vector().equals(release.vector());
              if (mine) {
                entry.getValue().close();
              }
              return mine;
            });
    return this;
  }

  private StepResult run(StepPlan plan) {
    for (long number : plan.close()) {
      Sequence sequence = sequences.remove(number);
      if (sequence != null) {
        sequence.close();
      }
    }
    Map<Long, int[]> unread = new HashMap<>();
    List<StepResult.Refusal> refusals = open(plan.open(), unread);
    List<Long> numbers = new ArrayList<>();
    List<StepInput> inputs = new ArrayList<>();
    for (StepPlan.Feed feed : plan.feed()) {
      Sequence sequence = sequences.get(feed.sequence());
      if (sequence != null) {
        numbers.add(feed.sequence());
        int[] ids = joined(unread.get(feed.sequence()), feed.tokenIds());
        inputs.add(new StepInput(sequence, ids, feed.logits()));
      }
    }
    List<StepResult.Output> outputs = new ArrayList<>();
    if (!inputs.isEmpty()) {
      List<StepOutput> stepped = engine.step(inputs);
      for (int i = 0; i < stepped.size(); i++) {
        StepOutput one = stepped.get(i);
        outputs.add(
            new StepResult.Output(
                numbers.get(i), one.logits(), one.summary(), one.rows(), one.finalRows()));
      }
    }
    return new StepResult(plan.id(), outputs, refusals, engine.freeKvTokens());
  }

  /**
   * Opens in order. Behind one that finds no room nobody is let in, however small: else a long
   * sequence could wait for ever while short ones come and go.
   *
   * @param unread gets the prefixes that cannot be taken over and have to be read
   */
  private List<StepResult.Refusal> open(List<StepPlan.Open> joining, Map<Long, int[]> unread) {
    List<StepResult.Refusal> refusals = new ArrayList<>();
    String shortage = null;
    for (StepPlan.Open one : joining) {
      try {
        if (shortage == null) {
          sequences.put(one.sequence(), open(one, unread));
        }
      } catch (KvCapacityException e) {
        shortage = e.getMessage();
      } catch (IllegalArgumentException e) {
        refusals.add(new StepResult.Refusal(one.sequence(), false, e.getMessage()));
        continue;
      }
      if (shortage != null) {
        refusals.add(new StepResult.Refusal(one.sequence(), true, shortage));
      }
    }
    return refusals;
  }

  private Sequence open(StepPlan.Open one, Map<Long, int[]> unread) {
    SequenceOptions options = options(one);
    StepPlan.Prefix prefix = one.prefix();
    if (prefix == null) {
      return engine.open(options);
    }
    Sequence source = sequences.get(prefix.source());
    if (source != null) {
      try {
        return engine.fork(source, prefix.tokenIds().length, options);
      } catch (IllegalArgumentException e) {
        // Its vectors were prepared anew since; or there is something wrong with the options, and
        // then they are refused below.
        getContext().getLog().debug("a prompt is read from its beginning", e);
      }
    }
    unread.put(one.sequence(), prefix.tokenIds());
    return engine.open(options);
  }

  private static int[] joined(int[] first, int[] ids) {
    if (first == null) {
      return ids;
    }
    int[] all = Arrays.copyOf(first, first.length + ids.length);
    System.arraycopy(ids, 0, all, first.length, ids.length);
    return all;
  }

  private SequenceOptions options(StepPlan.Open open) {
    List<SteeringSite> sites = new ArrayList<>();
    for (SteeringUse use : open.steering()) {
      PreparedVector vector = vectors.get(new Site(use.vector(), use.hookPoint(), use.layer()));
      if (vector == null) {
        // Fail closed: a request that loses its vector is refused, it never runs without.
        throw new IllegalArgumentException(
            "vector %s is not prepared at %s of layer %d"
                .formatted(use.vector(), use.hookPoint(), use.layer()));
      }
      sites.add(
          new SteeringSite(
              vector,
              use.layer(),
              use.hookPoint(),
              use.operation(),
              use.multiplier(),
              use.positions(),
              use.preserveNorm()));
    }
    return new SequenceOptions(open.promptLength(), open.maxLength(), open.capture(), sites);
  }

  private Behavior<Command> free() {
    sequences.values().forEach(Sequence::close);
    sequences.clear();
    vectors.values().forEach(PreparedVector::close);
    vectors.clear();
    engine.close();
    return this;
  }

  /** Makes supervision restart the actor; carries any cause, errors included. */
  static final class EngineFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EngineFailure(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
