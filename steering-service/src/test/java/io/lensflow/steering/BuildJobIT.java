package io.lensflow.steering;

import static io.lensflow.steering.BuildJobs.BUILDS;
import static io.lensflow.steering.BuildJobs.LIMIT;
import static io.lensflow.steering.BuildJobs.ask;
import static io.lensflow.steering.BuildJobs.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.ElementType;
import io.lensflow.records.PolicyUse;
import io.lensflow.steering.SteeringHttp.Answer;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Builds as jobs over HTTP: made, refused, cancelled, forgotten. */
@ExtendWith(KafkaExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BuildJobIT {
  private RunningService service;
  private FakeWorker worker;

  @BeforeAll
  void start(KafkaEnvironment kafka) throws Exception {
    service =
        new RunningService(
            kafka,
            Map.of(
                "lensflow.steering.tokenizers", BuildJobs.tokenizers(),
                "lensflow.steering.jobs.max-running", 1,
                "lensflow.steering.jobs.max-waiting", 1,
                "lensflow.steering.jobs.max-request-bytes", 20_000));
    worker = new FakeWorker(kafka);
    BuildJobs.awaitWorker(service.http());
  }

  @AfterAll
  void stop() throws Exception {
    worker.close();
    service.close();
  }

  @Test
  void shouldPublishOneVersionWithAllSitesWhenABuildSucceeds() {
    worker.allow(12);
    String job = ask(service.http(), request("sums", 6));
    JsonNode done = BuildJobs.await(service.http(), job);

    assertThat(done.path("state").asText()).as(done.toPrettyString()).isEqualTo("SUCCEEDED");
    assertThat(done.path("request").has("data")).isFalse();
    assertThat(done.path("done").asInt()).isEqualTo(6);
    JsonNode result = done.path("result");
    assertThat(result.path("version").asInt()).isEqualTo(1);
    assertThat(result.path("pairCount").asInt()).isEqualTo(6);
    assertThat(result.path("sites")).hasSize(4);
    JsonNode version =
        service.http().get(SteeringHttp.vector(FakeWorker.MODEL, "sums") + "/versions/1").json();
    assertThat(version.path("method").asText()).isEqualTo("MEAN_DIFFERENCE");
    assertThat(version.path("dataset").asText()).isEqualTo("sums");
    assertThat(version.path("datasetHash").asText()).hasSize(64);
    assertThat(version.path("revision").asText()).isEqualTo("r1");
    assertThat(version.path("pairCount").asInt()).isEqualTo(6);
    assertThat(version.path("author").asText()).isEqualTo("tester");
    assertThat(version.path("sites")).hasSize(4);
    assertThat(worker.requests())
        .filteredOn(request -> request.getLabels().get("job").equals(job))
        .hasSize(12)
        .allSatisfy(
            request -> {
              assertThat(request.getRevision()).isEqualTo(FakeWorker.REVISION);
              assertThat(request.getPolicies()).isEqualTo(PolicyUse.IGNORE);
              assertThat(request.getMaxNewTokens()).isZero();
              assertThat(request.getLenses()).isEmpty();
              assertThat(request.getCapture().getDtype()).isEqualTo(ElementType.FLOAT32);
              assertThat(request.getCapture().getPositions()).isEqualTo("-1");
            });
    assertThat(service.audit(FakeWorker.MODEL))
        .filteredOn(event -> event.getActor().equals("tester"))
        .extracting(AuditEvent::getAction)
        .contains("START_JOB", "PUBLISH");
    assertThat(service.http().delete("/v1/jobs/" + job).status()).isEqualTo(200);
    assertThat(service.http().get("/v1/jobs/" + job).status()).isEqualTo(404);
  }

  @Test
  void shouldCancelWhatIsOnItsWayWhenAJobIsCancelled() {
    int before = worker.seen().size();
    String job = ask(service.http(), request("cancelled", 10));
    int window = 2 * FakeWorker.SLOTS;
    Await.until("requests are sent", LIMIT, () -> worker.seen().size() == before + window);
    List<String> sent = List.copyOf(worker.seen().subList(before, before + window));

    // One runs, one may wait, and the next is refused.
    String next = ask(service.http(), request("waits", 2));
    Answer third = service.http().post(BUILDS, request("refused", 2).toString());
    assertThat(third.status()).as(third.text()).isEqualTo(429);
    assertThat(third.text()).contains("lensflow.steering.jobs.max-waiting");
    assertThat(BuildJobs.state(service.http(), next)).isEqualTo("QUEUED");
    assertThat(service.http().delete("/v1/jobs/" + next).status()).isEqualTo(409);
    assertThat(service.http().post("/v1/jobs/" + next + "/cancel", "").status()).isEqualTo(200);

    Answer cancelled = service.http().post("/v1/jobs/" + job + "/cancel", "");
    assertThat(cancelled.json().path("state").asText()).isEqualTo("CANCELLED");
    Await.until("its requests are cancelled", LIMIT, () -> worker.cancelled().containsAll(sent));
    assertThat(service.http().post("/v1/jobs/" + job + "/cancel", "").status()).isEqualTo(409);
    worker.allow(window);
    Await.until("the worker is idle", LIMIT, () -> worker.answered() == worker.seen().size());
    assertThat(worker.seen()).hasSize(before + window);
    assertThat(service.http().get(SteeringHttp.vector(FakeWorker.MODEL, "cancelled")).status())
        .isEqualTo(404);
  }

  @Test
  void shouldNameTheFieldWhenABuildCannotBe() {
    refused(request("n", 2).put("layers", "4"), 400, "layers: ");
    refused(request("n", 2).put("method", "LDA"), 400, "method: 'LDA' is none of");
    refused(request("n", 2).put("method", "PCA").put("balance", "NONE"), 400, "balance: ");
    refused(request("n", 2).put("train", "0-9"), 400, "train: there is no item 9");
    refused(request("n", 2).put("train", "0"), 400, "data: the matching answers are all of one");
    refused(request("n", 2).put("data", "{\"q\": 1}"), 400, "line 1: no field 'question'");
    refused(request("n", 2).put("lables", true), 400, "lables");
    refused(request("n", 500), 413, "lensflow.steering.jobs.max-request-bytes");
    Answer elsewhere = service.http().post("/v1/models/nobody/builds", request("n", 2).toString());
    assertThat(elsewhere.status()).isEqualTo(404);
    assertThat(elsewhere.text()).contains("no live worker serves 'nobody'");
  }

  private void refused(ObjectNode request, int status, String message) {
    Answer answer = service.http().post(BUILDS, request.toString());
    assertThat(answer.text()).contains(message);
    assertThat(answer.status()).isEqualTo(status);
  }
}
