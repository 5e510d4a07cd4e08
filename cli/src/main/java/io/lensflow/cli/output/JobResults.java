package io.lensflow.cli.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.CommandFailure;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.report.EvaluationTable;
import java.util.List;

/** What jobs found, for people. Stateless, thread-safe. */
public final class JobResults {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JobResults() {}

  /**
   * The result of a job as lines.
   *
   * @throws CommandFailure if it has none
   */
  public static List<String> table(JsonNode job) {
    return isEvaluation(job) ? EvaluationTable.of(evaluation(job)) : BuildTable.render(result(job));
  }

  /**
   * What an evaluation found.
   *
   * @throws CommandFailure if the job is none, or has no result
   */
  public static Evaluation evaluation(JsonNode job) {
    if (!isEvaluation(job)) {
      throw new CommandFailure(
          "job %s is no evaluation but a %s"
              .formatted(job.path("id").asText(), job.path("type").asText()));
    }
    try {
      return JSON.treeToValue(result(job), Evaluation.class);
    } catch (JsonProcessingException e) {
      throw new CommandFailure("the steering service answers what this version cannot read", e);
    }
  }

  private static boolean isEvaluation(JsonNode job) {
    return job.path("type").asText().equals("EVALUATE");
  }

  private static JsonNode result(JsonNode job) {
    JsonNode result = job.path("result");
    if (!result.isObject()) {
      throw new CommandFailure(
          "job %s has no result: it is %s"
              .formatted(job.path("id").asText(), job.path("state").asText()));
    }
    return result;
  }
}
