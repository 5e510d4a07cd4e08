package io.lensflow.steering.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lensflow.records.JobState;
import io.lensflow.records.JobType;
import io.lensflow.records.SteeringJob;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicSizes;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.writer.ChangeWriter;
import io.lensflow.steering.writer.Written;
import io.lensflow.testkit.Await;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class JobRunnerTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final JobSettings LIMITS =
      new JobSettings(1, 2, 2, 1 << 20, Duration.ofSeconds(2));

  private final TopicCatalogue topics = new TopicCatalogue("", 3, (short) 1, TopicSizes.DEFAULT);
  private final JobBook book = new JobBook();
  private final JobChanges changes = new JobChanges(book, LIMITS, topics, Clock.systemUTC());
  private final AtomicInteger runs = new AtomicInteger();

  /** What the end of a job that succeeded waits for before its write returns. */
  private CountDownLatch readBack = new CountDownLatch(0);

  @Test
  void shouldFailAJobOnceWhenItsWorkThrowsAnError() {
    try (JobRunner runner =
        runner(
            job -> {
              throw new OutOfMemoryError("Java heap space");
            })) {
      SteeringJob job = ended(runner);
      assertThat(job.getState()).isEqualTo(JobState.FAILED);
      assertThat(job.getFailure().getMessage()).contains("Java heap space");
      assertThat(runs).hasValue(1);
    }
  }

  @Test
  void shouldGoOnWithAJobWhenTheBrokerWasTooSlow() {
    try (JobRunner runner =
        runner(
            job -> {
              if (!job.resumed()) {
                throw new TimeoutException("the broker is slow");
              }
              return JobResult.of(JsonNodeFactory.instance.objectNode().put("norm", 1));
            })) {
      SteeringJob job = ended(runner);
      assertThat(job.getState()).isEqualTo(JobState.SUCCEEDED);
      assertThat(runs).hasValue(2);
    }
  }

  @Test
  void shouldShowAJobAsRunningUntilAllThatItsEndWroteIsReadBack() {
    readBack = new CountDownLatch(1);
    try (JobRunner runner =
        runner(job -> JobResult.of(JsonNodeFactory.instance.objectNode().put("norm", 1)))) {
      SteeringJob job = ended(runner);
      assertThat(job.getState()).isEqualTo(JobState.SUCCEEDED);
      SteeringJob shown = runner.upToDate(job);
      assertThat(shown.getState()).isEqualTo(JobState.RUNNING);
      assertThat(shown.getResultJson()).isEmpty();

      readBack.countDown();

      Await.until("the end is shown", LIMIT, () -> runner.upToDate(job).equals(job));
    }
  }

  private SteeringJob ended(JobRunner runner) {
    JsonNode request = JsonNodeFactory.instance.objectNode().put("name", "v");
    String id =
        writer
            .write(() -> changes.create(JobType.BUILD, "m", request, Origin.http("")))
            .change()
            .name();
    runner.start();
    Await.until("the job is over", LIMIT, () -> !book.isActive(id));
    return book.existing(id);
  }

  private JobRunner runner(JobTask task) {
    JobKind kind =
        new JobKind() {
          @Override
          public JobType type() {
            return JobType.BUILD;
          }

          @Override
          public String path() {
            return "builds";
          }

          @Override
          public JobTask prepare(String model, JsonNode request) {
            return job -> {
              runs.incrementAndGet();
              return task.run(job);
            };
          }
        };
    return new JobRunner(book, changes, writer, List.of(kind), context -> {}, LIMITS);
  }

  /** Writes straight into the book; what else was written is read back later. */
  private final ChangeWriter writer =
      new ChangeWriter() {
        @Override
        public boolean isOpen() {
          return true;
        }

        @Override
        public synchronized Written write(Supplier<Change> plan) {
          Change change = plan.get();
          for (ProducerRecord<String, SpecificRecord> record : change.records()) {
            if (record.topic().equals(topics.steeringJobs())) {
              book.apply(record.key(), (SteeringJob) record.value());
            }
          }
          if (change.action().equals("END_JOB")) {
            try {
              readBack.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
          return new Written(change, Map.of());
        }
      };
}
