package io.lensflow.steering.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.writer.Writer;
import java.util.List;
import java.util.Optional;

/** Where jobs are asked for, looked at, cancelled and forgotten. Thread-safe. */
public final class JobDesk {
  private final JobBook book;
  private final JobChanges changes;
  private final JobRunner runner;
  private final Writer writer;
  private final List<JobKind> kinds;
  private final JobSettings settings;

  /**
   * @param kinds what can be asked for
   */
  public JobDesk(
      JobBook book,
      JobChanges changes,
      JobRunner runner,
      Writer writer,
      List<JobKind> kinds,
      JobSettings settings) {
    this.book = book;
    this.changes = changes;
    this.runner = runner;
    this.writer = writer;
    this.kinds = List.copyOf(kinds);
    this.settings = settings;
  }

  /** What can be asked for. */
  public List<JobKind> kinds() {
    return kinds;
  }

  /** Largest request. */
  public long maxRequestBytes() {
    return settings.maxRequestBytes();
  }

  /**
   * Takes a job on; it runs when its turn comes.
   *
   * @throws RefusedException if the request makes no sense, or too many jobs wait
   */
  public SteeringJob ask(JobKind kind, String model, JsonNode request, Origin origin) {
    kind.prepare(model, request);
    Change made = writer.write(() -> changes.create(kind.type(), model, request, origin)).change();
    return (SteeringJob) made.records().get(0).value();
  }

  /** All jobs, the newest first; of one model only where it is named. */
  public List<SteeringJob> list(Optional<String> model) {
    return book.all().stream()
        .filter(job -> model.map(job.getModel()::equals).orElse(true))
        .map(runner::upToDate)
        .toList();
  }

  /**
   * A job.
   *
   * @throws RefusedException if there is none
   */
  public SteeringJob get(String jobId) {
    return runner.upToDate(book.existing(jobId));
  }

  /**
   * Ends a job without a result.
   *
   * @throws RefusedException if there is none, or it is over
   */
  public SteeringJob cancel(String jobId, Origin origin) {
    Change made = writer.write(() -> changes.cancel(jobId, origin)).change();
    return (SteeringJob) made.records().get(0).value();
  }

  /**
   * Forgets a job that is over.
   *
   * @throws RefusedException if there is none, or it is not over
   */
  public void forget(String jobId, Origin origin) {
    writer.write(() -> changes.forget(jobId, origin));
  }
}
