package io.lensflow.steering.job;

import io.lensflow.records.Failure;
import io.lensflow.records.JobState;
import io.lensflow.records.JobType;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.writer.ChangeWriter;
import io.lensflow.steering.writer.NotWriterException;
import io.lensflow.steering.writer.OutcomeUnknownException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs jobs while this instance is the writer. What it knows of them is on {@code steering-jobs}:
 * one that runs there and not here was begun by an instance that is gone, and is gone on with; one
 * that no longer runs there was cancelled, and ends here. A run whose instance no longer writes
 * ends without a word; its requests and their answers stay for who comes next.
 *
 * <p>The thread {@code steering-jobs} looks what is to be done, {@code steering-job-N} do it.
 */
public final class JobRunner implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(JobRunner.class);
  private static final Duration RECHECK = Duration.ofMillis(200);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(10);

  private final JobBook book;
  private final JobChanges changes;
  private final ChangeWriter writer;
  private final Map<JobType, JobKind> kinds;
  private final Consumer<JobContext> awaitModel;
  private final JobSettings settings;

  private final Map<String, Run> runs = new ConcurrentHashMap<>();
  private final AtomicInteger threads = new AtomicInteger();
  private final ExecutorService executor =
      Executors.newCachedThreadPool(
          work -> new Thread(work, "steering-job-" + threads.incrementAndGet()));
  private final Thread thread = new Thread(this::loop, "steering-jobs");
  private volatile boolean closed;

  /**
   * @param kinds what can be run
   * @param awaitModel waits until a live worker serves a job's model
   */
  public JobRunner(
      JobBook book,
      JobChanges changes,
      ChangeWriter writer,
      List<JobKind> kinds,
      Consumer<JobContext> awaitModel,
      JobSettings settings) {
    this.book = book;
    this.changes = changes;
    this.writer = writer;
    this.kinds = kinds.stream().collect(Collectors.toUnmodifiableMap(JobKind::type, kind -> kind));
    this.awaitModel = awaitModel;
    this.settings = settings;
  }

  /** Begins to look for jobs. */
  public void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * A job as its record says, with the progress of this moment where it runs here. There it has
   * succeeded only once all that was written with its end has been read back: its record comes from
   * another partition than the version that it published, and may be read before it.
   */
  public SteeringJob upToDate(SteeringJob job) {
    Run run = runs.get(job.getJobId());
    if (run == null || (JobBook.isOver(job) && job.getState() != JobState.SUCCEEDED)) {
      return job;
    }
    return SteeringJob.newBuilder(job)
        .setState(JobState.RUNNING)
        .setResultJson("")
        .setDone(run.done)
        .setTotal(run.total)
        .build();
  }

  private void loop() {
    try {
      while (!closed) {
        try {
          look();
        } catch (RefusedException | NotWriterException | OutcomeUnknownException e) {
          log.info("jobs wait: {}", e.getMessage());
        } catch (RuntimeException e) {
          log.warn("jobs wait", e);
        }
        book.awaitChange(RECHECK);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    if (!writer.isOpen()) {
      runs.values().forEach(run -> run.handedOver = true);
      return;
    }
    for (Run run : runs.values()) {
      run.cancelled |= book.find(run.jobId()).map(JobBook::isOver).orElse(true);
    }
    for (SteeringJob job : book.in(JobState.RUNNING)) {
      take(job, true);
    }
    for (SteeringJob job : book.in(JobState.QUEUED)) {
      take(job, false);
    }
  }

  private void take(SteeringJob job, boolean resumed) {
    if (runs.size() >= settings.maxRunning() || runs.containsKey(job.getJobId())) {
      return;
    }
    if (!resumed) {
      writer.write(() -> changes.begin(job.getJobId()));
    }
    Run run = new Run(job, resumed);
    runs.put(job.getJobId(), run);
    executor.execute(run);
    log.info("job={} type={} resumed={}", job.getJobId(), job.getType(), resumed);
  }

  /** Leaves the jobs to whoever writes next. */
  @Override
  public void close() {
    closed = true;
    runs.values().forEach(run -> run.handedOver = true);
    thread.interrupt();
    executor.shutdown();
    try {
      if (!executor.awaitTermination(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        executor.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A job that runs here. */
  private final class Run extends JobRecordContext implements Runnable {
    private final boolean resumed;
    private volatile boolean cancelled;
    private volatile boolean handedOver;
    private volatile long done;
    private volatile long total;
    private long writtenNanos = System.nanoTime();

    Run(SteeringJob job, boolean resumed) {
      super(job);
      this.resumed = resumed;
      this.done = job.getDone();
      this.total = job.getTotal();
    }

    @Override
    public void run() {
      try {
        JobKind kind = kinds.get(job.getType());
        if (kind == null) {
          throw RefusedException.invalid(
              "type", "this version cannot do jobs of type " + job.getType());
        }
        awaitModel.accept(this);
        JobTask task = kind.prepare(job.getModel(), JobJson.request(job, book.data(jobId())));
        JobResult result = task.run(this);
        checkStopped();
        writer.write(() -> changes.succeed(jobId(), result, total));
        log.info("job={} succeeded", jobId());
      } catch (JobStoppedException | NotWriterException | OutcomeUnknownException e) {
        log.info("job={} ends here: {}", jobId(), e.getMessage());
      } catch (RefusedException e) {
        fail(e.toFailure());
      } catch (RetriableException e) {
        // The broker was too slow; the job still runs on the topic, so that it is taken up again.
        log.warn("job={} goes on later: {}", jobId(), e.getMessage());
      } catch (Throwable e) {
        // Errors too: a job that still runs on the topic would be taken up again, and again end so.
        log.warn("job={} failed", jobId(), e);
        String reason = e instanceof Error ? e.toString() : String.valueOf(e.getMessage());
        fail(new Failure("JOB_FAILED", reason, null));
      } finally {
        runs.remove(jobId());
      }
    }

    private void fail(Failure failure) {
      if (isStopped()) {
        return;
      }
      try {
        writer.write(() -> changes.fail(jobId(), failure, done, total));
        log.info("job={} failed: {}", jobId(), failure.getMessage());
      } catch (RefusedException | NotWriterException | OutcomeUnknownException e) {
        log.info("job={} ends here: {}", jobId(), e.getMessage());
      }
    }

    @Override
    public boolean resumed() {
      return resumed;
    }

    @Override
    public void progress(long done, long total) {
      this.done = done;
      this.total = total;
      long now = System.nanoTime();
      if (now - writtenNanos < settings.progressInterval().toNanos() || isStopped()) {
        return;
      }
      writtenNanos = now;
      try {
        writer.write(() -> changes.progress(jobId(), done, total));
      } catch (NotWriterException | OutcomeUnknownException e) {
        handedOver = true;
      } catch (RefusedException e) {
        cancelled = true;
      } catch (RetriableException e) {
        log.info("job={} cannot say how far it is: {}", jobId(), e.getMessage());
      }
    }

    @Override
    public boolean isStopped() {
      return cancelled || handedOver;
    }

    @Override
    public boolean isHandedOver() {
      return handedOver;
    }
  }
}
