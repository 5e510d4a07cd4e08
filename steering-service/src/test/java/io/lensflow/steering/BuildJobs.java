package io.lensflow.steering;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.testkit.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/** Builds over a {@link FakeWorker}, as tests ask for them. */
final class BuildJobs {
  static final Duration LIMIT = Duration.ofSeconds(60);
  static final String BUILDS = "/v1/models/" + FakeWorker.MODEL + "/builds";
  private static final Set<String> OVER = Set.of("SUCCEEDED", "FAILED", "CANCELLED");

  private BuildJobs() {}

  /** The setting that gives the fake model the demo model's tokenizer. */
  static String tokenizers() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(root.resolve("demo-model"))) {
      root = root.getParent();
    }
    return FakeWorker.MODEL + "=" + root.resolve("demo-model");
  }

  /** Items whose matching answers are (A) and (B) in turns. */
  static String data(int items) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < items; i++) {
      ObjectNode line = JsonNodeFactory.instance.objectNode();
      line.put("question", "What is %d + 7?\n (A) more\n (B) less".formatted(i));
      line.put("answer_matching_behavior", i % 2 == 0 ? " (A)" : " (B)");
      line.put("answer_not_matching_behavior", i % 2 == 0 ? " (B)" : " (A)");
      lines.append(line).append('\n');
    }
    return lines.toString();
  }

  /** A request to build from so many items at two layers and two hook points. */
  static ObjectNode request(String name, int items) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("name", name).put("data", data(items)).put("dataset", "sums");
    body.put("layers", "1,3").put("format", "plain");
    body.putArray("hookPoints").add("ATTENTION_INPUT").add("RESIDUAL_POST");
    return body;
  }

  /** Asks for a build, and gives its id. */
  static String ask(SteeringHttp http, ObjectNode request) {
    Answer answer = http.post(BUILDS, request.toString());
    if (answer.status() != 202) {
      throw new AssertionError(answer.status() + ": " + answer.text());
    }
    return answer.json().path("id").asText();
  }

  /** Waits until the service knows the fake worker. */
  static void awaitWorker(SteeringHttp http) {
    Await.until(
        "the worker is seen",
        LIMIT,
        () -> http.get("/v1/models").json().path("models").size() == 1);
  }

  /** Waits until a job is over. */
  static JsonNode await(SteeringHttp http, String job) {
    Await.until("the job is over", LIMIT, () -> OVER.contains(state(http, job)));
    return http.get("/v1/jobs/" + job).json();
  }

  static String state(SteeringHttp http, String job) {
    return http.get("/v1/jobs/" + job).json().path("state").asText();
  }
}
