package io.lensflow.steering.job;

import io.lensflow.records.JobState;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.vector.RefusedException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What {@code steering-jobs} says, record by record. Ids sort by time, and so do the jobs here.
 * Thread-safe: one thread feeds it, any may read.
 *
 * <p>The data that was sent with a job stand in a record of their own, because the job's own record
 * is written anew whenever it has come further.
 */
public final class JobBook {
  private static final String DATA = "/data";

  private final TreeMap<String, SteeringJob> jobs = new TreeMap<>();

  /** Data of jobs, by key. */
  private final Map<String, String> data = new HashMap<>();

  /** Key of the record that holds a job's data. */
  static String dataKey(String jobId) {
    return jobId + DATA;
  }

  /**
   * Takes a record.
   *
   * @param key a job's id, or the key of its data
   * @param value null for a tombstone
   */
  public synchronized void apply(String key, SteeringJob value) {
    if (key.endsWith(DATA)) {
      data.compute(key, (same, before) -> value == null ? null : value.getData());
    } else if (value == null) {
      jobs.remove(key);
    } else {
      jobs.put(key, value);
    }
    notifyAll();
  }

  /** A job. */
  public synchronized Optional<SteeringJob> find(String jobId) {
    return Optional.ofNullable(jobs.get(jobId));
  }

  /** The data that were sent with a job; empty if there were none, or it is over. */
  synchronized Optional<String> data(String jobId) {
    return Optional.ofNullable(data.get(dataKey(jobId)));
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
