package io.lensflow.steering.pipeline;

/** Takes answers as they come, in any order, each request's once. */
@FunctionalInterface
public interface AnswerSink {
  /**
   * Takes an answer, on the thread that runs the requests. What it does not keep is freed.
   *
   * @param index which of the run's requests, from 0
   */
  void take(int index, Answer answer);
}
