package io.lensflow.steering.job;

import java.time.Instant;

/** What a task knows of the job that it does. Thread-safe. */
public interface JobContext {
  /** Id of the job. */
  String jobId();

  /** Served name of the model. */
  String model();

  /** When the job was asked for; its requests' ids are made of this and the job's id. */
  Instant createdAt();

  /** Who asked; empty if not known. */
  String actor();

  /**
   * Whether another run of this job came before, here or elsewhere, so that some of its requests
   * may have been sent, and some answered.
   */
  boolean resumed();

  /**
   * Says how far the work is. Cheap: may be called for every item.
   *
   * @param done items done
   * @param total items in all
   */
  void progress(long done, long total);

  /** Whether the work shall end without a result: cancelled, or handed over. */
  boolean isStopped();

  /**
   * Whether another instance goes on with this job, or will: then its requests that are on their
   * way stay so, because their answers count there.
   */
  boolean isHandedOver();

  /**
   * Ends the work if it shall end.
   *
   * @throws JobStoppedException if the job was cancelled, or another instance runs it now
   */
  default void checkStopped() {
    if (isStopped()) {
      throw new JobStoppedException();
    }
  }
}
