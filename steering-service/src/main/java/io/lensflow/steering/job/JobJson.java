package io.lensflow.steering.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.SteeringJob;
import java.util.Optional;

/** The JSON that jobs' records hold. Stateless. */
public final class JobJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JobJson() {}

  /** A field of a record; missing where it is empty, or is no JSON that we know. */
  static JsonNode read(String text) {
    try {
      return text.isEmpty() ? MissingNode.getInstance() : JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    }
  }

  /**
   * What was sent to ask for a job.
   *
   * @param data the data that were sent with it, if there were any
   */
  static JsonNode request(SteeringJob job, Optional<String> data) {
    JsonNode request = read(job.getRequestJson());
    if (request instanceof ObjectNode object) {
      data.ifPresent(text -> object.put(JobKind.DATA, text));
    }
    return request;
  }

  /** A job as the API tells of it; its data is left out. */
  public static ObjectNode describe(SteeringJob job) {
    ObjectNode answer = JSON.createObjectNode();
    answer.put("id", job.getJobId());
    answer.put("type", job.getType().name());
    answer.put("state", job.getState().name());
    answer.put("model", job.getModel());
    answer.put("actor", job.getActor());
    answer.put("createdAt", job.getCreatedAt().toString());
    answer.put("updatedAt", job.getUpdatedAt().toString());
    answer.put("done", job.getDone());
    answer.put("total", job.getTotal());
    answer.set("request", orNull(read(job.getRequestJson())));
    answer.set("result", orNull(read(job.getResultJson())));
    if (job.getFailure() == null) {
      answer.putNull("failure");
    } else {
      answer
          .putObject("failure")
          .put("code", job.getFailure().getCode())
          .put("message", job.getFailure().getMessage())
          .put("field", job.getFailure().getField());
    }
    return answer;
  }

  private static JsonNode orNull(JsonNode node) {
    return node.isMissingNode() ? JSON.nullNode() : node;
  }
}
