package io.lensflow.steering.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.JobState;
import io.lensflow.records.JobType;
import io.lensflow.records.SteeringJob;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicSizes;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class JobChangesTest {
  private static final Origin ANN = Origin.http("ann");
  private static final JobSettings LIMITS =
      new JobSettings(1, 2, 2, 1 << 20, Duration.ofSeconds(2));

  private final TopicCatalogue topics = new TopicCatalogue("", 3, (short) 1, TopicSizes.DEFAULT);
  private final JobBook book = new JobBook();
  private final JobChanges changes = new JobChanges(book, LIMITS, topics, Clock.systemUTC());

  @Test
  void shouldDropTheDataAndKeepTheResultWhenAJobSucceeds() {
    String id = created();
    written(changes.begin(id));
    written(changes.progress(id, 3, 10));
    assertThat(book.data(id)).contains("many lines");
    assertThat(JobJson.request(book.existing(id), book.data(id))).isEqualTo(json("data"));
    written(changes.succeed(id, JobResult.of(json("norm")), 10));

    SteeringJob job = book.existing(id);
    assertThat(job.getState()).isEqualTo(JobState.SUCCEEDED);
    assertThat(job.getDone()).isEqualTo(10);
    assertThat(job.getActor()).isEqualTo("ann");
    assertThat(job.getRequestJson()).contains("\"name\":\"v\"").doesNotContain("many lines");
    assertThat(book.data(id)).isEmpty();
    assertThat(JobJson.describe(job).path("result").path("norm").asInt()).isEqualTo(1);
  }

  @Test
  void shouldWriteTheDataOnceHoweverOftenAJobSaysHowFarItIs() {
    String id = created();
    Change begun = changes.begin(id);
    written(begun);
    Change progress = changes.progress(id, 3, 10);
    written(progress);
    assertThat(List.of(begun, progress))
        .flatExtracting(Change::records)
        .extracting(record -> record.value().toString())
        .hasSize(2)
        .noneSatisfy(record -> assertThat(record).contains("many lines"));
    assertThat(book.all()).extracting(SteeringJob::getJobId).containsExactly(id);

    Change cancel = changes.cancel(id, ANN);
    written(cancel);
    assertThat(book.data(id)).isEmpty();
    assertThat(cancel.records().get(1).key()).isEqualTo(id + "/data");
    assertThat(cancel.records().get(1).value()).isNull();
  }

  @Test
  void shouldWriteWhatAJobPublishesWithItsEnd() {
    String id = created();
    written(changes.begin(id));
    Change publish =
        new Change(
            "PUBLISH",
            "m",
            "v",
            List.of(7),
            List.of(new ProducerRecord<>(topics.steeringVectors(), "m/v@7", null)),
            List.of());
    Change end =
        changes.succeed(
            id,
            JobResult.publishing(
                () -> publish,
                made -> JsonNodeFactory.instance.objectNode().put("v", made.versions().get(0))),
            1);

    assertThat(end.action()).isEqualTo("PUBLISH");
    assertThat(end.records())
        .extracting(ProducerRecord::topic)
        .containsExactly(topics.steeringVectors(), topics.steeringJobs(), topics.steeringJobs());
    written(end);
    assertThat(book.data(id)).isEmpty();
    assertThat(book.existing(id).getResultJson()).isEqualTo("{\"v\":7}");
  }

  @Test
  void shouldRefuseWhatContradictsTheState() {
    String id = created();
    assertThatThrownBy(() -> changes.progress(id, 1, 2)).hasMessageContaining("QUEUED");
    assertThatThrownBy(() -> changes.forget(id, ANN)).hasMessageContaining("cancel it first");
    Change cancel = changes.cancel(id, ANN);
    assertThat(cancel.records().get(2).value()).isInstanceOf(AuditEvent.class);
    written(cancel);
    assertThatThrownBy(() -> changes.begin(id)).hasMessageContaining("is over: CANCELLED");
    assertThatThrownBy(() -> changes.cancel(id, ANN))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("is over");
    assertThatThrownBy(() -> changes.cancel("none", ANN)).hasMessageContaining("no job 'none'");
  }

  @Test
  void shouldForgetTheOldestThatAreOverAndRefuseMoreThanMayWait() {
    String first = failed();
    String second = failed();
    String third = failed();
    assertThat(book.find(first)).as("two are kept, the new one among them").isEmpty();
    assertThat(book.find(second)).isPresent();
    assertThat(book.find(third)).isPresent();
    created();
    created();
    assertThatThrownBy(this::created)
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("2 jobs wait already")
        .hasMessageContaining("lensflow.steering.jobs.max-waiting");
  }

  private String failed() {
    String id = created();
    written(changes.begin(id));
    written(changes.fail(id, new Failure("JOB_FAILED", "it broke", null), 0, 1));
    return id;
  }

  private String created() {
    return written(changes.create(JobType.BUILD, "m", json("data"), ANN));
  }

  /** What the tail would do with it; the id of the job. */
  private String written(Change change) {
    for (ProducerRecord<String, SpecificRecord> record : change.records()) {
      if (record.topic().equals(topics.steeringJobs())) {
        book.apply(record.key(), (SteeringJob) record.value());
      }
    }
    return Optional.ofNullable(change.name()).orElseThrow();
  }

  private static JsonNode json(String field) {
    return field.equals("data")
        ? JsonNodeFactory.instance.objectNode().put("name", "v").put("data", "many lines")
        : JsonNodeFactory.instance.objectNode().put(field, 1);
  }
}
