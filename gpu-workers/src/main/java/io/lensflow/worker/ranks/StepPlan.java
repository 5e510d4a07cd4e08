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
 * @param close sequences that nobody needs any more, closed before anything else
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

  /** Prompt tokens that joining sequences take over. */
  public long sharedTokens() {
    return open.stream()
        .mapToLong(one -> one.prefix() == null ? 0 : one.prefix().tokenIds().length)
        .sum();
  }

  /**
   * A sequence that joins.
   *
   * @param sequence its number
   * @param promptLength P
   * @param maxLength most tokens that it will ever consume
   * @param capture what is set aside
   * @param steering pinned vectors, in the order of application
   * @param prefix what it takes over from another sequence, or null
   */
  public record Open(
      long sequence,
      int promptLength,
      int maxLength,
      CapturePlan capture,
      List<SteeringUse> steering,
      Prefix prefix) {}

  /**
   * First tokens of a prompt whose keys and values another sequence holds, or will in this step
   * when all feeds before the joining sequence's are consumed. What is fed begins behind them.
   *
   * @param source the other's number; it need not be open any more
   * @param tokenIds these tokens
   */
  public record Prefix(long source, int[] tokenIds) {}

  /**
   * New tokens of one sequence.
   *
   * @param sequence its number
   * @param tokenIds [T] token ids
   * @param logits which rows go through the head
   */
  public record Feed(long sequence, int[] tokenIds, StepInput.Logits logits) {}
}
