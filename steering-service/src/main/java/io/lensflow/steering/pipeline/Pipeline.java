package io.lensflow.steering.pipeline;

import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.job.JobStoppedException;
import io.lensflow.steering.vector.RefusedException;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.RetriableException;

/**
 * Runs requests of jobs through the workers and gathers the answers. Requests go to the model's
 * batch lane where one of its live workers serves that, else to where everybody's go. Steering
 * policies do not hold for them: what is measured must not depend on what is decided for traffic.
 *
 * <p>Thread-safe; each run has a consumer of its own, and belongs to the thread that calls it.
 */
public final class Pipeline implements AutoCloseable {
  private static final long RECHECK_MILLIS = 100;

  private final KafkaClients clients;
  private final ModelDirectory models;
  private final PipelineSettings settings;
  private final Clock clock;
  private final Producer<String, SpecificRecord> producer;

  /**
   * @param models stays the caller's to close
   */
  public Pipeline(
      KafkaClients clients, ModelDirectory models, PipelineSettings settings, Clock clock) {
    this.clients = clients;
    this.models = models;
    this.settings = settings;
    this.clock = clock;
    this.producer = clients.producer(Map.of());
  }

  /**
   * A model.
   *
   * @throws RefusedException if no live worker serves it
   */
  public ServedModel model(String name) {
    return models
        .model(name)
        .orElseThrow(
            () ->
                RefusedException.unknown(
                    "model", "no live worker serves '%s' any more".formatted(name)));
  }

  /**
   * Waits until a live worker serves the job's model.
   *
   * @throws JobStoppedException if the job is stopped meanwhile
   */
  public ServedModel awaitModel(JobContext job) {
    while (true) {
      job.checkStopped();
      Optional<ServedModel> model = models.model(job.model());
      if (model.isPresent()) {
        return model.get();
      }
      try {
        Thread.sleep(RECHECK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JobStoppedException();
      }
    }
  }

  /**
   * Sends requests, a bounded number at a time, and hands each answer on when it is complete. What
   * an earlier run of the job sent is not sent again; its answers count.
   *
   * @param sink gets exactly one answer per request, on this thread; what it throws ends the run
   * @throws JobStoppedException if the job is stopped; requests on their way are cancelled then,
   *     unless the job was handed over
   * @throws RetriableException if the broker is too slow; who goes on with the job finds the
   *     answers to what is on its way
   * @throws io.lensflow.client.ClientException if the topics cannot be read
   */
  public void run(JobContext job, PipelineRequests requests, AnswerSink sink) {
    ServedModel model = awaitModel(job);
    try (PipelineRun run =
        new PipelineRun(clients, producer, models, settings, clock, job, requests, sink)) {
      try {
        run.execute(model);
      } catch (RetriableException e) {
        run.leave();
        throw e;
      }
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
