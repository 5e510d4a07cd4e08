package io.lensflow.steering.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.Failure;
import io.lensflow.records.JobState;
import io.lensflow.records.JobType;
import io.lensflow.records.SteeringJob;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SteeringRecords;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Every change of jobs. Whoever calls it sees to it that the book is up to date and that nobody
 * else writes meanwhile. Thread-safe.
 */
public final class JobChanges {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final JobBook book;
  private final JobSettings limits;
  private final TopicCatalogue topics;
  private final SteeringRecords records;
  private final Clock clock;

  /**
   * @param book what is there
   */
  public JobChanges(JobBook book, JobSettings limits, TopicCatalogue topics, Clock clock) {
    this.book = book;
    this.limits = limits;
    this.topics = topics;
    this.records = new SteeringRecords(topics);
    this.clock = clock;
  }

  /**
   * A new job, which waits for its turn. Jobs that are over and too many are forgotten.
   *
   * @throws RefusedException if too many wait
   */
  public Change create(JobType type, String model, JsonNode request, Origin origin) {
    Names.checkModel(model);
    int waiting = book.in(JobState.QUEUED).size();
    if (waiting >= limits.maxWaiting()) {
      throw RefusedException.busy(
          "TOO_MANY_JOBS",
          "%d jobs wait already; cancel one, try later, or raise lensflow.steering.jobs.max-waiting"
              .formatted(waiting));
    }
    Instant now = now();
    SteeringJob job =
        SteeringJob.newBuilder()
            .setJobId(Ids.newId())
            .setType(type)
            .setState(JobState.QUEUED)
            .setModel(model)
            .setActor(origin.actor())
            .setCreatedAt(now)
            .setUpdatedAt(now)
            .setRequestJson(text(withoutData(request)))
            .build();
    List<ProducerRecord<String, SpecificRecord>> written = new ArrayList<>();
    written.add(record(job));
    if (request.path(JobKind.DATA).isTextual()) {
      written.add(data(job.getJobId(), request.path(JobKind.DATA).textValue()));
    }
    List<SteeringJob> over = book.over();
    over.subList(0, Math.max(0, over.size() - limits.maxKept() + 1))
        .forEach(old -> written.add(tombstone(old.getJobId())));
    written.add(audit("START_JOB", job, origin));
    return change("START_JOB", job, written);
  }

  /** A job whose turn has come. */
  Change begin(String jobId) {
    SteeringJob job = copy(unfinished(jobId));
    job.setState(JobState.RUNNING);
    return change("RUN_JOB", job, List.of(record(job)));
  }

  /** How far a job is. */
  Change progress(String jobId, long done, long total) {
    SteeringJob job = running(jobId);
    job.setDone(done);
    job.setTotal(total);
    return change("PROGRESS_JOB", job, List.of(record(job)));
  }

  /** The end of a job that did its work; what it changes is written with it. */
  Change succeed(String jobId, JobResult result, long total) {
    SteeringJob job = ended(running(jobId), JobState.SUCCEEDED);
    job.setDone(total);
    job.setTotal(total);
    Change made = result.change().map(plan -> plan.get()).orElse(null);
    job.setResultJson(text(result.json().apply(made)));
    if (made == null) {
      return change("END_JOB", job, end(job));
    }
    List<ProducerRecord<String, SpecificRecord>> written = new ArrayList<>(made.records());
    written.addAll(end(job));
    return new Change(
        made.action(), made.model(), made.name(), made.versions(), written, made.warnings());
  }

  /** The end of a job that could not do its work. */
  Change fail(String jobId, Failure failure, long done, long total) {
    SteeringJob job = ended(running(jobId), JobState.FAILED);
    job.setDone(done);
    job.setTotal(total);
    job.setFailure(failure);
    return change("FAIL_JOB", job, end(job));
  }

  /**
   * Cancels a job, whoever runs it.
   *
   * @throws RefusedException if there is no such job, or it is over
   */
  public Change cancel(String jobId, Origin origin) {
    SteeringJob job = ended(copy(unfinished(jobId)), JobState.CANCELLED);
    List<ProducerRecord<String, SpecificRecord>> written = end(job);
    written.add(audit("CANCEL_JOB", job, origin));
    return change("CANCEL_JOB", job, written);
  }

  /**
   * Forgets a job that is over.
   *
   * @throws RefusedException if there is no such job, or it is not over
   */
  public Change forget(String jobId, Origin origin) {
    SteeringJob job = book.existing(jobId);
    if (!JobBook.isOver(job)) {
      throw RefusedException.conflict(
          "JOB_NOT_OVER", "job", "job '%s' is not over; cancel it first".formatted(jobId));
    }
    return change("FORGET_JOB", job, List.of(tombstone(jobId), audit("FORGET_JOB", job, origin)));
  }

  private SteeringJob unfinished(String jobId) {
    SteeringJob job = book.existing(jobId);
    if (JobBook.isOver(job)) {
      throw RefusedException.conflict(
          "JOB_OVER", "job", "job '%s' is over: %s".formatted(jobId, job.getState()));
    }
    return job;
  }

  private SteeringJob running(String jobId) {
    SteeringJob job = unfinished(jobId);
    if (job.getState() != JobState.RUNNING) {
      throw RefusedException.conflict(
          "JOB_NOT_RUNNING", "job", "job '%s' is %s".formatted(jobId, job.getState()));
    }
    return copy(job);
  }

  private SteeringJob copy(SteeringJob job) {
    return SteeringJob.newBuilder(job).setUpdatedAt(now()).build();
  }

  private static SteeringJob ended(SteeringJob job, JobState state) {
    job.setState(state);
    return job;
  }

  private static JsonNode withoutData(JsonNode request) {
    return request instanceof ObjectNode object ? object.deepCopy().without(JobKind.DATA) : request;
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MICROS);
  }

  private ProducerRecord<String, SpecificRecord> record(SteeringJob job) {
    return LensflowHeaders.record(topics.steeringJobs(), job.getJobId(), job, null);
  }

  /** The record of a job that is over. Its data have done their service. */
  private List<ProducerRecord<String, SpecificRecord>> end(SteeringJob job) {
    List<ProducerRecord<String, SpecificRecord>> written = new ArrayList<>();
    written.add(record(job));
    if (book.data(job.getJobId()).isPresent()) {
      written.add(tombstone(JobBook.dataKey(job.getJobId())));
    }
    return written;
  }

  private ProducerRecord<String, SpecificRecord> data(String jobId, String data) {
    SteeringJob value = SteeringJob.newBuilder().setJobId(jobId).setData(data).build();
    return LensflowHeaders.record(topics.steeringJobs(), JobBook.dataKey(jobId), value, null);
  }

  private ProducerRecord<String, SpecificRecord> tombstone(String key) {
    return new ProducerRecord<>(topics.steeringJobs(), key, null);
  }

  private ProducerRecord<String, SpecificRecord> audit(
      String action, SteeringJob job, Origin origin) {
    Map<String, String> details = Map.of("type", job.getType().name());
    return records.audit(action, job.getJobId(), job.getModel(), now(), origin, details);
  }

  private static Change change(
      String action, SteeringJob job, List<ProducerRecord<String, SpecificRecord>> records) {
    return new Change(action, job.getModel(), job.getJobId(), List.of(), records, List.of());
  }

  private static String text(JsonNode json) {
    try {
      return JSON.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree in memory cannot fail to be written", e);
    }
  }
}
