package io.lensflow.steering.job;

import io.lensflow.records.SteeringJob;
import java.time.Instant;

/** The part of a context that the job's record says. Immutable. */
abstract class JobRecordContext implements JobContext {
  final SteeringJob job;

  JobRecordContext(SteeringJob job) {
    this.job = job;
  }

  @Override
  public String jobId() {
    return job.getJobId();
  }

  @Override
  public String model() {
    return job.getModel();
  }

  @Override
  public Instant createdAt() {
    return job.getCreatedAt();
  }

  @Override
  public String actor() {
    return job.getActor();
  }
}
