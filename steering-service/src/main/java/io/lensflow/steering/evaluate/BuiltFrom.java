package io.lensflow.steering.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.JobState;
import io.lensflow.records.SteeringJob;
import io.lensflow.steering.items.ItemRange;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.job.JobJson;
import io.lensflow.steering.vector.VectorId;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * What a version was built from, as the job says that built it. Immutable.
 *
 * @param items the items that it was built from, as a range
 * @param chosenBy the items that its site was chosen by, as a range; null unless a sweep built it
 * @param balance how the items were balanced
 */
record BuiltFrom(String items, String chosenBy, String balance) {
  /**
   * Looks for the job that built a version from a data set: a build, or a sweep that was published.
   *
   * @param dataHash SHA-256 of the data set, hex
   * @return empty if no job is told of any more that built it from this data set
   */
  static Optional<BuiltFrom> of(JobBook jobs, VectorId vector, int version, String dataHash) {
    return jobs.in(JobState.SUCCEEDED).stream()
        .filter(job -> job.getModel().equals(vector.model()))
        .flatMap(job -> of(job, vector.name(), version, dataHash).stream())
        .findFirst();
  }

  private static Optional<BuiltFrom> of(
      SteeringJob job, String name, int version, String dataHash) {
    JsonNode result = JobJson.describe(job).path("result");
    if (!result.path("datasetHash").asText().equals(dataHash)) {
      return Optional.empty();
    }
    boolean built =
        switch (job.getType()) {
          case BUILD ->
              result.path("name").asText().equals(name)
                  && result.path("version").asInt() == version;
          case EVALUATE ->
              result.path("sweep").isObject()
                  && result.path("vector").asText().equals(name + "@" + version);
          case UNKNOWN -> false;
        };
    if (!built) {
      return Optional.empty();
    }
    String balance = result.path("balance").asText();
    return Optional.of(
        result.path("sweep").isObject()
            ? new BuiltFrom(range(result.path("train")), range(result.path("validation")), balance)
            : new BuiltFrom(result.path("items").asText(), null, balance));
  }

  private static String range(JsonNode numbers) {
    return ItemRange.format(
        StreamSupport.stream(numbers.spliterator(), false).map(JsonNode::asInt).sorted().toList());
  }
}
