package io.lensflow.worker.ranks;

import io.lensflow.engine.StepInput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.worker.steering.SteeringUse;
import java.util.List;

/**
 * One step for all sequences of a group. Sequences are named by numbers that the scheduler gives
 * out; the native state stays with the engine.
 *
 * @param id rises with every step
 * @param close sequences that have ended, closed before anything else
 * @param open sequences that join, opened in order
 * @param feed new tokens, for sequences that run or join
 */
public record StepPlan(long id, List<Long> close, List<Open> open, List<Feed> feed) {
  public StepPlan {
    close = List.copyOf(close);
    open = List.copyOf(open);
    feed = List.copyOf(feed);
  }

  /** Whether there is nothing to do. */
  public boolean isEmpty() {
    return close.isEmpty() && feed.isEmpty();
  }

  /**
   * A sequence that joins.
   *
   * @param sequence its number
   * @param promptLength P
   * @param maxLength most tokens that it will ever consume
   * @param capture what is set aside
   * @param steering pinned vectors, in the order of application
   */
  public record Open(
      long sequence,
      int promptLength,
      int maxLength,
      CapturePlan capture,
      List<SteeringUse> steering) {}

  /**
   * New tokens of one sequence.
   *
   * @param sequence its number
   * @param tokenIds [T] token ids
   * @param logits which rows go through the head
   */
  public record Feed(long sequence, int[] tokenIds, StepInput.Logits logits) {}
}
