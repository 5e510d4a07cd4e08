package io.lensflow.steering.pipeline;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.records.LensResult;
import io.lensflow.steering.vector.RefusedException;
import java.util.stream.Stream;

/**
 * Hands on what one checkpoint answered. While workers are exchanged, two revisions are served
 * under one name, and rows of both must not go into one vector or one measurement. Used by one
 * thread.
 *
 * @param revision revision that the requests ask for; empty for any
 */
record OneRevision(String model, String revision, AnswerSink next) implements AnswerSink {
  /** What a worker of another revision answers. */
  private static final String NOT_SERVED = "MODEL_NOT_SERVED";

  /**
   * @throws RefusedException if another checkpoint answered, or refused to
   */
  @Override
  public void take(int index, Answer answer) {
    if (!revision.isEmpty()) {
      answer
          .failure()
          .filter(failure -> failure.getCode().equals(NOT_SERVED))
          .map(Failure::getMessage)
          .ifPresent(this::refuse);
      Stream.concat(
              answer.chunks().stream().map(ActivationChunk::getRevision),
              answer.results().stream().map(LensResult::getRevision))
          .filter(other -> !other.equals(revision))
          .findAny()
          .ifPresent(other -> refuse("a row of revision '%s' came".formatted(other)));
    }
    next.take(index, answer);
  }

  private void refuse(String what) {
    throw RefusedException.conflict(
        "MODEL_CHANGED",
        "model",
        "the job asks revision '%s' of '%s', but %s: workers were exchanged meanwhile; ask for the job again when all serve the same"
            .formatted(revision, model, what));
  }
}
