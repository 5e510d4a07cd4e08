package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A job outlives the process that runs it, and nothing is computed or published twice. */
@ExtendWith(KafkaExtension.class)
class JobTakeoverIT {
  private static final int ITEMS = 12;

  @Test
  void shouldGoOnWithAJobWhenTheProcessThatRanItIsKilled(KafkaEnvironment kafka) throws Exception {
    kafka.createTopics();
    Map<String, String> environment =
        Map.of("LENSFLOW_STEERING_TOKENIZERS", BuildJobs.tokenizers());
    try (FakeWorker worker = new FakeWorker(kafka);
        SteeringChild first = SteeringChild.start(kafka, "3s", environment)) {
      Await.until("it writes", BuildJobs.LIMIT, first::isWriter);
      BuildJobs.awaitWorker(first.http());
      String job = BuildJobs.ask(first.http(), BuildJobs.request("survivor", ITEMS));
      worker.allow(ITEMS);
      Await.until("half is answered", BuildJobs.LIMIT, () -> worker.answered() == ITEMS);
      Await.until("more is on its way", BuildJobs.LIMIT, () -> worker.seen().size() > ITEMS);
      first.kill();

      try (SteeringChild second = SteeringChild.start(kafka, "3s", environment)) {
        Await.until("the second one writes", BuildJobs.LIMIT, second::isWriter);
        worker.allow(ITEMS);
        JsonNode done = BuildJobs.await(second.http(), job);
        assertThat(done.path("state").asText()).as(done.toPrettyString()).isEqualTo("SUCCEEDED");
        assertThat(done.path("result").path("pairCount").asInt()).isEqualTo(ITEMS);
        assertThat(worker.seen()).hasSize(2 * ITEMS).doesNotHaveDuplicates();
        assertThat(worker.cancelled()).isEmpty();

        worker.allow(2 * ITEMS);
        String again = BuildJobs.ask(second.http(), BuildJobs.request("survivor", ITEMS));
        JsonNode whole = BuildJobs.await(second.http(), again);
        assertThat(whole.path("result").path("version").asInt()).isEqualTo(2);
        String versions = SteeringHttp.vector(FakeWorker.MODEL, "survivor") + "/versions/";
        assertThat(values(second, versions + 1)).isEqualTo(values(second, versions + 2));
      }
    }
  }

  private static JsonNode values(SteeringChild child, String version) {
    return child.http().get(version + "?values=true").json().path("sites");
  }
}
