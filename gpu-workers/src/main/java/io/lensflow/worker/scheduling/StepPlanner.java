package io.lensflow.worker.scheduling;

import io.lensflow.worker.ranks.StepPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides who moves on in the next step: every sequence that generates, by one token, and beside
 * them the prompts of those that joined, oldest first, up to a budget of tokens, so that a long
 * prompt never makes the others wait for more than one chunk.
 *
 * <p>A second budget bounds the captured bytes of the step by the room in the publisher's buffer.
 * Immutable and thread-safe.
 */
final class StepPlanner {
  private final int prefillTokens;

  /**
   * @param prefillTokens most prompt tokens of one step, at least 1
   */
  StepPlanner(int prefillTokens) {
    this.prefillTokens = prefillTokens;
  }

  /** One sequence and its cost. */
  record Candidate(Generation generation, long captureBytesPerToken) {}

  /** A feed and the bytes that it may put into the publisher's buffer. */
  record Planned(Generation generation, StepPlan.Feed feed, long captureBytes) {}

  /**
   * Chooses the feeds of a step.
   *
   * @param candidates in order of admission
   * @param room bytes free in the publisher's buffer
   * @param idle whether that buffer is empty: then one token of one sequence passes however large
   *     its rows are, or it would wait for ever
   */
  List<Planned> plan(List<Candidate> candidates, long room, boolean idle) {
    List<Planned> planned = new ArrayList<>();
    long left = room;
    for (Candidate candidate : candidates) {
      if (!candidate.generation().inPrefill() && fits(candidate, left, idle, planned)) {
        left -= add(planned, candidate, 1);
      }
    }
    int tokens = prefillTokens;
    for (Candidate candidate : candidates) {
      if (tokens > 0
          && candidate.generation().inPrefill()
          && fits(candidate, left, idle, planned)) {
        long bytes = candidate.captureBytesPerToken();
        int affordable = bytes == 0 ? tokens : (int) Math.min(tokens, Math.max(1, left / bytes));
        left -= add(planned, candidate, affordable);
        tokens -= planned.get(planned.size() - 1).feed().tokenIds().length;
      }
    }
    return planned;
  }

  private static boolean fits(Candidate candidate, long left, boolean idle, List<Planned> planned) {
    long bytes = candidate.captureBytesPerToken();
    return bytes == 0 || bytes <= left || (idle && planned.isEmpty());
  }

  private static long add(List<Planned> planned, Candidate candidate, int budget) {
    StepPlan.Feed feed = candidate.generation().feed(budget);
    long bytes = candidate.captureBytesPerToken() * feed.tokenIds().length;
    planned.add(new Planned(candidate.generation(), feed, bytes));
    return bytes;
  }
}
