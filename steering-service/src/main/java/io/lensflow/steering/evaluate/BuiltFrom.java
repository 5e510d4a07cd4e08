package io.lensflow.steering.evaluate;

import io.lensflow.records.JobState;
import io.lensflow.records.JobType;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.job.JobJson;
import io.lensflow.steering.vector.VectorId;

/** What a version was built from, as the job says that built it. Stateless. */
final class BuiltFrom {
  private BuiltFrom() {}

  /**
   * The items of a data set that a version was built from, as a range.
   *
   * @param dataHash SHA-256 of the data set, hex
   * @return null if no job is told of any more that built it from this data set
   */
  static String items(JobBook jobs, VectorId vector, int version, String dataHash) {
    return jobs.in(JobState.SUCCEEDED).stream()
        .filter(job -> job.getType() == JobType.BUILD && job.getModel().equals(vector.model()))
        .map(job -> JobJson.describe(job).path("result"))
        .filter(
            result ->
                result.path("name").asText().equals(vector.name())
                    && result.path("version").asInt() == version
                    && result.path("datasetHash").asText().equals(dataHash))
        .map(result -> result.path("items").asText())
        .findFirst()
        .orElse(null);
  }
}
