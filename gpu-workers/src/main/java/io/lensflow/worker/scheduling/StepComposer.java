package io.lensflow.worker.scheduling;

import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.request.CaptureSpec;
import io.lensflow.worker.request.Lane;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Composes steps: whose lane is next, who joins, and by which tokens each sequence moves on.
 *
 * <p>The lanes have steps of their own. What a step of both would cost the interactive one can only
 * be estimated; what a step of the batch lane takes is measured, and {@link LaneTurns} keeps it to
 * its share. While interactive requests are here or were a moment ago, steps of the batch lane read
 * a quarter of the usual prompt tokens, so that nobody waits long for the end of one; and its rows
 * leave three quarters of the publisher's buffer to others. When nothing interactive can move, the
 * batch lane has the engine to itself.
 *
 * <p>Prompts of the interactive lane take turns. Those of the batch lane are read one after the
 * other, as they joined: nobody waits for any of them in particular, and the first ends sooner.
 *
 * <p>Used by the scheduler's thread only.
 */
final class StepComposer {
  private static final int SHARED_PREFILL_PART = 4;
  private static final int BATCH_BUFFER_PART = 4;

  private final StepScheduler.Settings settings;
  private final Batch batch;
  private final StepPlanner planner;
  private final LaneTurns turns;
  private final Map<Long, StepPlan.Feed> inFlight = new HashMap<>();
  private Lane lane = Lane.INTERACTIVE;
  private boolean charged;
  private long nextStep;
  private long nextTurn;

  StepComposer(StepScheduler.Settings settings, Batch batch) {
    this.settings = settings;
    this.batch = batch;
    this.planner = new StepPlanner(settings.prefillTokens(), settings.wholeChunks());
    this.turns = new LaneTurns(settings.batch().stepShare());
  }

  /**
   * The next step, which may be {@linkplain StepPlan#isEmpty empty}. Runs that move for the first
   * time join.
   *
   * @param bufferedBytes bytes of rows that wait for the broker
   */
  StepPlan compose(EngineInfo engine, long bufferedBytes, Instant now) {
    if (batch.hasInteractive()) {
      turns.interactive(now);
    }
    List<Generation> joining = batch.takeJoining(now);
    joining.forEach(one -> one.queue(nextTurn++));
    List<StepPlanner.Planned> planned;
    List<StepPlan.Open> open;
    do {
      // Once more, if the room is needed of a sequence that one of them would have begun like.
      planned = choose(joining, engine, bufferedBytes, now);
      open = opened(planned, joining);
    } while (!batch.makeRoom(open));
    List<StepPlan.Feed> feeds = new ArrayList<>();
    inFlight.clear();
    for (StepPlanner.Planned one : planned) {
      feeds.add(one.feed());
      inFlight.put(one.generation().sequence(), one.feed());
      if (lane == Lane.INTERACTIVE) {
        one.generation().served(nextTurn++);
      }
      if (joining.remove(one.generation())) {
        batch.join(one.generation());
        // Also when it joins again, after a time without room: that time it was waiting.
        one.generation().admitted(now);
      }
    }
    batch.putBack(joining);
    return new StepPlan(nextStep++, batch.takeClosing(), open, feeds);
  }

  private static List<StepPlan.Open> opened(
      List<StepPlanner.Planned> planned, List<Generation> joining) {
    return planned.stream()
        .map(StepPlanner.Planned::generation)
        .filter(joining::contains)
        .map(Generation::open)
        .toList();
  }

  /** Chooses the lane and its feeds. */
  private List<StepPlanner.Planned> choose(
      List<Generation> joining, EngineInfo engine, long bufferedBytes, Instant now) {
    SharedPrefixes prefixes =
        settings.prefixShare() > 0 && !settings.wholeChunks()
            ? SharedPrefixes.of(batch.sources())
            : SharedPrefixes.NONE;
    List<StepPlanner.Planned> interactive =
        planner.plan(
            candidates(Lane.INTERACTIVE, joining, engine),
            settings.prefillTokens(),
            settings.bufferBytes() - bufferedBytes,
            bufferedBytes == 0,
            prefixes);
    boolean canMove = !interactive.isEmpty();
    lane = Lane.INTERACTIVE;
    charged = false;
    if (canMove && !turns.isBatchDue()) {
      return interactive;
    }
    int prompts =
        turns.isShared(now)
            ? Math.max(1, settings.prefillTokens() / SHARED_PREFILL_PART)
            : settings.prefillTokens();
    List<StepPlanner.Planned> mayWait =
        planner.plan(
            candidates(Lane.BATCH, joining, engine),
            prompts,
            settings.bufferBytes() / BATCH_BUFFER_PART - bufferedBytes,
            bufferedBytes == 0,
            prefixes);
    if (mayWait.isEmpty()) {
      return interactive;
    }
    lane = Lane.BATCH;
    charged = canMove;
    return mayWait;
  }

  /**
   * Those of one lane that may move. None joins before one of the other lane whose turn is earlier:
   * it would take the room that the other waits for.
   */
  private List<StepPlanner.Candidate> candidates(
      Lane of, List<Generation> joining, EngineInfo engine) {
    Stream<Generation> running = batch.running().stream().filter(one -> one.run().lane() == of);
    Stream<Generation> fresh = joining.stream().takeWhile(one -> one.run().lane() == of);
    return Stream.concat(
            running.map(one -> candidate(one, engine, false)),
            fresh.map(one -> candidate(one, engine, true)))
        .toList();
  }

  private static StepPlanner.Candidate candidate(
      Generation generation, EngineInfo engine, boolean joining) {
    CaptureSpec capture = generation.run().request().capture();
    return new StepPlanner.Candidate(
        generation,
        capture.bytesPerPosition(engine.config().hiddenSize(), engine.dtype()),
        joining);
  }

  /** Whose step was composed last. */
  Lane lane() {
    return lane;
  }

  /** What a sequence was fed in the step composed last; null if it was not in it. */
  StepPlan.Feed fed(long sequence) {
    return inFlight.get(sequence);
  }

  /** The step composed last took so long. */
  void stepped(Duration took) {
    if (lane == Lane.INTERACTIVE || charged) {
      turns.stepped(lane, took, batch.keepsInteractiveOut());
    }
  }
}
