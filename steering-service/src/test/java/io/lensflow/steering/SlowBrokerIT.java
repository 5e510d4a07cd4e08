package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.client.ClientOptions;
import io.lensflow.client.ModelDirectory;
import io.lensflow.records.Capture;
import io.lensflow.records.HookPoint;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.pipeline.Answer;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.pipeline.PipelineRequests;
import io.lensflow.steering.pipeline.PipelineSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A run of a job that ends because the broker is slow has not been for nothing. */
@ExtendWith(KafkaExtension.class)
class SlowBrokerIT {
  private static final int REQUESTS = 6;

  private final String job = Ids.newId();
  private final Instant createdAt = Instant.now().truncatedTo(ChronoUnit.MICROS);

  @Test
  void shouldFindTheAnswersToWhatWasOnItsWayWhenTheBrokerWasTooSlow(KafkaEnvironment kafka) {
    kafka.createTopics();
    ClientOptions options =
        ClientOptions.of(kafka.bootstrapServers(), kafka.registryUri(), kafka.catalogue());
    PipelineRequests requests =
        new PipelineRequests("rows", REQUESTS, SlowBrokerIT::request, "r1", 1, true);
    try (FakeWorker worker = new FakeWorker(kafka);
        Topics topics = new Topics(kafka);
        ModelDirectory models = ModelDirectory.open(options);
        Pipeline pipeline =
            new Pipeline(topics.clients(), models, PipelineSettings.DEFAULT, Clock.systemUTC())) {
      worker.allow(1);
      assertThatThrownBy(
              () ->
                  pipeline.run(
                      context(false),
                      requests,
                      (index, answer) -> {
                        throw new TimeoutException("the broker is slow");
                      }))
          .isInstanceOf(TimeoutException.class);
      Await.until("more is on its way", BuildJobs.LIMIT, () -> worker.seen().size() > 1);

      worker.allow(REQUESTS);
      Map<Integer, Answer> answers = new TreeMap<>();
      pipeline.run(context(true), requests, answers::put);

      assertThat(answers).hasSize(REQUESTS);
      assertThat(answers.values())
          .allSatisfy(answer -> assertThat(answer.failure()).isEmpty())
          .allSatisfy(answer -> assertThat(answer.chunks()).hasSize(1));
      assertThat(worker.seen()).hasSize(REQUESTS).doesNotHaveDuplicates();
      assertThat(worker.cancelled()).isEmpty();
    }
  }

  private static PromptRequest request(int index) {
    return PromptRequest.newBuilder()
        .setPrompt(Prompt.newBuilder().setTokenIds(List.of(1, 2, index)).build())
        .setCapture(
            Capture.newBuilder()
                .setHookPoints(List.of(HookPoint.RESIDUAL_POST))
                .setLayers("-1")
                .setPositions("-1")
                .build())
        .setMaxNewTokens(0)
        .build();
  }

  private JobContext context(boolean resumed) {
    return new JobContext() {
      @Override
      public String jobId() {
        return job;
      }

      @Override
      public String model() {
        return FakeWorker.MODEL;
      }

      @Override
      public Instant createdAt() {
        return createdAt;
      }

      @Override
      public String actor() {
        return "";
      }

      @Override
      public boolean resumed() {
        return resumed;
      }

      @Override
      public void progress(long done, long total) {}

      @Override
      public boolean isStopped() {
        return false;
      }

      @Override
      public boolean isHandedOver() {
        return false;
      }
    };
  }
}
