package io.lensflow.steering.http;

import io.javalin.http.Context;
import io.lensflow.service.ApiException;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.worker.Rollout;
import io.lensflow.steering.worker.Verdict;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Callers whose answers wait for workers. Each keeps a thread of the server busy meanwhile, so that
 * only so many may: the others' changes, and all reads, shall find one. Thread-safe.
 */
final class WaitingCallers {
  private static final int UNAVAILABLE = 503;

  private final LiveWorkers workers;
  private final int most;
  private final Semaphore places;

  /**
   * @param most how many may wait at a time
   */
  WaitingCallers(LiveWorkers workers, int most) {
    this.workers = workers;
    this.most = most;
    this.places = new Semaphore(most);
  }

  /**
   * Looks who lives, if the query asks to wait; to be called before the change is written.
   *
   * @throws ApiException if too many wait already; nothing is changed then
   */
  Waiting begin(Context ctx, String model) {
    Optional<Duration> timeout = RequestParts.wait(ctx);
    if (timeout.isPresent() && !places.tryAcquire()) {
      throw new ApiException(
          UNAVAILABLE,
          "TOO_MANY_WAITING",
          "%d callers wait for workers already, and nothing was changed: ask again, or without wait, or raise lensflow.steering.max-waiting-callers"
              .formatted(most),
          "wait");
    }
    return new Waiting(timeout, Rollout.begin(workers, model));
  }

  /** One of them, or one that does not wait. */
  final class Waiting implements AutoCloseable {
    private final Optional<Duration> timeout;
    private final Rollout rollout;

    private Waiting(Optional<Duration> timeout, Rollout rollout) {
      this.timeout = timeout;
      this.rollout = rollout;
    }

    /** Waits, if asked to, and puts into the answer what the workers made of the change. */
    void report(Map<String, Object> answer, Verdict verdict) {
      timeout.ifPresent(limit -> answer.put("rollout", Answers.rollout(rollout, verdict, limit)));
    }

    @Override
    public void close() {
      timeout.ifPresent(limit -> places.release());
    }
  }
}
