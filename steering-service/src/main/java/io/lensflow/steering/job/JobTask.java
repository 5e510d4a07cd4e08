package io.lensflow.steering.job;

/** One job's work, ready to be done; used once, by one thread. */
public interface JobTask {
  /**
   * Does the work, which may take hours. It reports how far it is through {@code job}, and looks
   * now and then whether it shall end.
   *
   * @return what came of it
   * @throws JobStoppedException if {@link JobContext#checkStopped} said so
   * @throws io.lensflow.steering.vector.RefusedException if the data does not allow a result: the
   *     job fails with that message
   * @throws Exception of other kinds: the job fails with the message
   */
  JobResult run(JobContext job) throws Exception;
}
