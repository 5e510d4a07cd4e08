package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.AuditEvent;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An evaluation outlives the process that runs it, and its controls do not outlive it. */
@ExtendWith(KafkaExtension.class)
class EvaluateJobIT {
  private static final String MODEL = "/v1/models/" + FakeWorker.MODEL;
  private static final int ITEMS = 6;

  /** Multipliers −1, 0 and 1 of the vector, −1 and 1 of the random one. */
  private static final int REQUESTS = 5 * ITEMS;

  @Test
  void shouldGoOnWithItsControlsWhenTheProcessThatRanItIsKilled(KafkaEnvironment kafka)
      throws Exception {
    kafka.createTopics();
    Map<String, String> environment =
        Map.of("LENSFLOW_STEERING_TOKENIZERS", BuildJobs.tokenizers());
    try (FakeWorker worker = new FakeWorker(kafka);
        SteeringChild first = SteeringChild.start(kafka, "3s", environment)) {
      Await.until("it writes", BuildJobs.LIMIT, first::isWriter);
      BuildJobs.awaitWorker(first.http());
      first
          .http()
          .post(
              MODEL + "/vectors/tone",
              "{\"layer\": 1, \"hookPoint\": \"MLP_INPUT\", \"values\": [1, 2]}");
      String job = ask(first.http());
      worker.allow(REQUESTS / 2);
      Await.until("half is answered", BuildJobs.LIMIT, () -> worker.answered() == REQUESTS / 2);
      assertThat(names(first.http())).contains("job." + job);
      first.kill();

      try (SteeringChild second = SteeringChild.start(kafka, "3s", environment)) {
        Await.until("the second one writes", BuildJobs.LIMIT, second::isWriter);
        worker.allow(REQUESTS);
        JsonNode done = BuildJobs.await(second.http(), job);

        assertThat(done.path("state").asText()).as(done.toPrettyString()).isEqualTo("SUCCEEDED");
        assertThat(worker.seen()).hasSize(REQUESTS).doesNotHaveDuplicates();
        checkSlopes(done.path("result"));
        assertThat(names(second.http())).containsExactly("tone");
        assertThat(actionsOn("job." + job, kafka))
            .as("published once, by whom it may, and retired once")
            .containsExactlyInAnyOrder("PUBLISH", "RETIRE");
      }
    }
  }

  private static List<String> actionsOn(String vector, KafkaEnvironment kafka) {
    try (Topics topics = new Topics(kafka)) {
      return topics.read(kafka.catalogue().audit(), AuditEvent.class).stream()
          .map(Topics.Seen::value)
          .filter(event -> event.getSubject().contains(vector))
          .map(AuditEvent::getAction)
          .toList();
    }
  }

  /** The fake worker moves even tokens up and odd ones down. */
  private static void checkSlopes(JsonNode result) {
    assertThat(result.path("slopes")).hasSize(ITEMS);
    assertThat(result.path("propensity")).hasSize(ITEMS);
    double first = result.path("slopes").get(0).asDouble();
    assertThat(Math.abs(first)).isIn(0.0, 2.0);
    assertThat(result.path("slopes").get(1).asDouble())
        .as("the other order of labels")
        .isCloseTo(-first, within(1e-6));
    assertThat(result.path("controls")).hasSize(1);
    assertThat(result.at("/controls/0/slopes/mean").asDouble())
        .as("the fake worker does not look at the vector")
        .isCloseTo(result.path("meanSlope").asDouble(), within(1e-6));
  }

  private static String ask(SteeringHttp http) {
    ObjectNode body =
        JsonNodeFactory.instance
            .objectNode()
            .put("name", "tone")
            .put("version", 1)
            .put("data", BuildJobs.data(ITEMS))
            .put("format", "plain")
            .put("test", "all")
            .put("neutral", "");
    body.putArray("multipliers").add(-1).add(0).add(1);
    SteeringHttp.Answer answer = http.post(MODEL + "/evaluations", body.toString());
    assertThat(answer.status()).as(answer.text()).isEqualTo(202);
    return answer.json().path("id").asText();
  }

  private static List<String> names(SteeringHttp http) {
    JsonNode vectors = http.get(MODEL + "/vectors?ofJobs=true").json().path("vectors");
    return StreamSupport.stream(vectors.spliterator(), false)
        .map(vector -> vector.path("name").asText())
        .toList();
  }
}
