package io.lensflow.steering.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.JobType;
import io.lensflow.steering.vector.RefusedException;

/**
 * A kind of work that jobs do. Thread-safe.
 *
 * <p>Data that was sent with a request stands in its field {@link #DATA}, as one text. It is kept
 * apart from the job's record while the job is not over, and dropped then.
 */
public interface JobKind {
  /** Field of a request that holds the data. */
  String DATA = "data";

  /** What stands in the job's record. */
  JobType type();

  /** Where such jobs are asked for: {@code POST /v1/models/{model}/PATH}. */
  String path();

  /**
   * Reads a request and checks what can be checked without running anything. Called when a job is
   * asked for, so that nonsense is refused at once, and again by whoever runs it; a request means
   * the same both times. A live worker serves the model both times.
   *
   * @param model served name of the model
   * @param request the body as it was sent, with {@link #DATA}
   * @throws RefusedException naming the field and the fix
   */
  JobTask prepare(String model, JsonNode request);
}
