package io.lensflow.steering.job;

import io.lensflow.records.JobState;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.vector.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What {@code steering-jobs} says, record by record. Ids sort by time, and so do the jobs here.
 * Thread-safe: one thread feeds it, any may read.
 */
public final class JobBook {
  private final TreeMap<String, SteeringJob> jobs = new TreeMap<>();

  /**
   * Takes a record.
   *
   * @param value null for a tombstone
   */
  public synchronized void apply(String jobId, SteeringJob value) {
    if (value == null) {
      jobs.remove(jobId);
    } else {
      jobs.put(jobId, value);
    }
    notifyAll();
  }

  /** A job. */
  public synchronized Optional<SteeringJob> find(String jobId) {
    return Optional.ofNullable(jobs.get(jobId));
  }

  /**
   * A job that is there.
   *
   * @throws RefusedException if it is not
   */
  public SteeringJob existing(String jobId) {
    return find(jobId)
        .orElseThrow(
            () -> RefusedException.unknown("job", "there is no job '%s'".formatted(jobId)));
  }

  /** Whether a job waits or runs. */
  public boolean isActive(String jobId) {
    return find(jobId).filter(job -> !isOver(job)).isPresent();
  }

  /** All jobs, the newest first. */
  public synchronized List<SteeringJob> all() {
    return List.copyOf(jobs.descendingMap().values());
  }

  /** Jobs in a state, the oldest first. */
  public synchronized List<SteeringJob> in(JobState state) {
    return jobs.values().stream().filter(job -> job.getState() == state).toList();
  }

  /** Jobs that are over, the oldest first. */
  public synchronized List<SteeringJob> over() {
    return jobs.values().stream().filter(JobBook::isOver).toList();
  }

  /** Whether a job has come to its end, one way or another. */
  public static boolean isOver(SteeringJob job) {
    return switch (job.getState()) {
      case SUCCEEDED, FAILED, CANCELLED -> true;
      case QUEUED, RUNNING, UNKNOWN -> false;
    };
  }

  /** Waits until a record comes, or for a while. */
  synchronized void awaitChange(Duration atMost) throws InterruptedException {
    wait(atMost.toMillis());
  }
}
