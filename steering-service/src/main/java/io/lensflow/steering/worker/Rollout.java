package io.lensflow.steering.worker;

import io.lensflow.records.WorkerHeartbeat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Follows a change to the workers that were live when it was made, until each has applied or
 * refused it. A worker that stops living leaves the set and is named; one that comes later reads
 * everything before it takes a request, so nobody waits for it.
 *
 * <p>Times count from {@link #begin}, up to the moment at which this instance saw the heartbeat.
 * Used by one thread.
 */
public final class Rollout {
  private static final long RECHECK_MILLIS = 5;

  /** Where a worker stands. */
  public enum State {
    /** Requests can use it there. */
    APPLIED,
    /** It will not be used there; the reason says why. */
    REFUSED,
    /** The worker no longer lives, or was started anew. */
    GONE,
    /** It has not said in time. */
    PENDING
  }

  /**
   * What became of the change on a worker.
   *
   * @param reason why it was refused, or what it waits for; may be empty
   * @param after how long it took; null while it is pending
   */
  public record Outcome(String worker, State state, String reason, Duration after) {}

  private final Supplier<List<WorkerHeartbeat>> live;
  private final Map<String, WorkerHeartbeat> waited = new TreeMap<>();
  private final Map<String, Outcome> outcomes = new TreeMap<>();
  private final long startNanos = System.nanoTime();

  private Rollout(Supplier<List<WorkerHeartbeat>> live) {
    this.live = live;
    live.get().forEach(heartbeat -> waited.put(heartbeat.getWorker(), heartbeat));
  }

  /** Takes the workers of a model that live now; to be called before the change is written. */
  public static Rollout begin(LiveWorkers workers, String model) {
    return new Rollout(() -> workers.of(model));
  }

  /** How long it has taken so far. */
  public Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }

  /**
   * Waits for all workers.
   *
   * @param timeout from now on
   * @return one outcome per worker that was live at the beginning, by name; pending ones are those
   *     that did not say in time
   */
  public List<Outcome> await(Verdict verdict, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    look(verdict);
    while (outcomes.size() < waited.size() && System.nanoTime() < deadline) {
      try {
        Thread.sleep(RECHECK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
      look(verdict);
    }
    waited.forEach(
        (worker, heartbeat) ->
            outcomes.computeIfAbsent(
                worker,
                name -> new Outcome(name, State.PENDING, verdict.waitingFor(heartbeat), null)));
    return new ArrayList<>(outcomes.values());
  }

  private void look(Verdict verdict) {
    Map<String, WorkerHeartbeat> now =
        live.get().stream().collect(Collectors.toMap(WorkerHeartbeat::getWorker, one -> one));
    for (Map.Entry<String, WorkerHeartbeat> entry : waited.entrySet()) {
      String worker = entry.getKey();
      if (outcomes.containsKey(worker)) {
        continue;
      }
      WorkerHeartbeat newest = now.get(worker);
      if (newest == null) {
        outcome(worker, State.GONE, "it stopped, or was not heard of for 6 s");
      } else if (!newest.getIncarnation().equals(entry.getValue().getIncarnation())) {
        outcome(worker, State.GONE, "it was started anew, and reads everything before it serves");
      } else {
        entry.setValue(newest);
        Optional<Verdict.Answer> answer = verdict.of(newest);
        answer.ifPresent(
            a -> outcome(worker, a.applied() ? State.APPLIED : State.REFUSED, a.reason()));
      }
    }
  }

  private void outcome(String worker, State state, String reason) {
    outcomes.put(worker, new Outcome(worker, state, reason, elapsed()));
  }
}
