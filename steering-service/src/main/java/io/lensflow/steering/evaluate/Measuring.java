package io.lensflow.steering.evaluate;

import io.lensflow.client.ServedModel;
import io.lensflow.client.follow.LensRow;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.pipeline.Answer;
import io.lensflow.steering.pipeline.Pipeline;
import io.lensflow.steering.pipeline.PipelineRequests;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The way from an evaluation to the workers: sends requests, counts answers, refuses failed ones.
 * Used by one thread.
 */
final class Measuring {
  private final JobContext job;
  private final Pipeline pipeline;
  private final ServedModel model;
  private long done;
  private long total;

  /**
   * @param total answers that the whole job will take, as far as is known
   */
  Measuring(JobContext job, Pipeline pipeline, ServedModel model, long total) {
    this.job = job;
    this.pipeline = pipeline;
    this.model = model;
    this.total = total;
  }

  /** Takes an answer that has come in full. */
  @FunctionalInterface
  interface Sink {
    void take(int index, Answer answer);
  }

  /** The model that is asked. */
  ServedModel model() {
    return model;
  }

  /** The job that this is part of. */
  JobContext job() {
    return job;
  }

  /** How the requests run. */
  Pipeline pipeline() {
    return pipeline;
  }

  /** Answers that have come so far. */
  long done() {
    return done;
  }

  /** Counts answers that came another way. */
  void advance(long answers) {
    done += answers;
    total = Math.max(total, done);
    job.progress(done, total);
  }

  /**
   * Runs requests, and says how far the job is.
   *
   * @param series tells them from the job's other requests
   * @param rows rows of the last layer that one request asks for at most
   * @throws IllegalStateException if one of them fails
   */
  void run(String series, int count, int rows, IntFunction<PromptRequest> make, Sink sink) {
    long rowBytes = (long) rows * model.hiddenSize() * Float.BYTES;
    pipeline.run(
        job,
        new PipelineRequests(series, count, make, model.revision(), rowBytes, false),
        (index, answer) -> {
          if (answer.failure().isPresent()) {
            Failure failure = answer.failure().get();
            throw new IllegalStateException(
                "request %d of %s failed: %s".formatted(index, series, failure.getMessage()));
          }
          sink.take(index, answer);
          advance(1);
        });
  }

  /** All rows that lenses answered with, by position. */
  static List<LensRow> rows(Answer answer) {
    return answer.results().stream()
        .flatMap(result -> LensRow.of(result).stream())
        .sorted(Comparator.comparingInt(LensRow::position))
        .toList();
  }
}
