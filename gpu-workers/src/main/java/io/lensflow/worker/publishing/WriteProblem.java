package io.lensflow.worker.publishing;

import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.RetriableException;

/**
 * Why a record was not written. Immutable.
 *
 * @param cause what the producer said
 */
public record WriteProblem(Throwable cause) {
  /** The problem that a write ended with; null if it ended with none. */
  public static WriteProblem of(Throwable e) {
    if (e == null) {
      return null;
    }
    return new WriteProblem(
        e instanceof CompletionException && e.getCause() != null ? e.getCause() : e);
  }

  /** Whether the same record may be written later: the broker is out of reach. */
  public boolean isTransient() {
    return cause instanceof RetriableException;
  }

  @Override
  public String toString() {
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }
}
