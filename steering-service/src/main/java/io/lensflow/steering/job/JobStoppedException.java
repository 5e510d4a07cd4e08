package io.lensflow.steering.job;

/** The work ends here without a result: it was cancelled, or another instance does it now. */
public final class JobStoppedException extends RuntimeException {
  public JobStoppedException() {
    super("the job was stopped");
  }
}
