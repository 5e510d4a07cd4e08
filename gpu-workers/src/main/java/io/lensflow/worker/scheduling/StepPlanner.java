package io.lensflow.worker.scheduling;

import io.lensflow.worker.ranks.StepPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides who moves on in the next step: every sequence that generates, by one token, and beside
 * them prompts up to a budget of tokens, so that who generates never waits for more than one such
 * chunk of prompts. Prompts take turns: one whose chunk was read goes behind all others, so that a
 * short prompt waits for a chunk of each long one, and not for all of it.
 *
 * <p>A second budget bounds the captured bytes of the step by the room in the publisher's buffer.
 * Whose candidates these are, and how much they get, is the {@link StepComposer}'s to say.
 * Immutable and thread-safe.
 */
final class StepPlanner {
  private final int prefillTokens;
  private final boolean wholeChunks;

  /**
   * @param prefillTokens most prompt tokens of one step, at least 1
   * @param wholeChunks whether a prompt is read by exactly so many tokens at a time, or its rest: a
   *     prompt for whose chunk a budget does not suffice waits for the next step
   */
  StepPlanner(int prefillTokens, boolean wholeChunks) {
    this.prefillTokens = prefillTokens;
    this.wholeChunks = wholeChunks;
  }

  /**
   * One sequence and its cost.
   *
   * @param joining whether it has not joined yet, and may begin with another's tokens
   */
  record Candidate(Generation generation, long captureBytesPerToken, boolean joining) {
    private boolean inPrefill() {
      return generation.inPrefill();
    }
  }

  /** A feed and the bytes that it may put into the publisher's buffer. */
  record Planned(Generation generation, StepPlan.Feed feed, long captureBytes) {}

  /**
   * Chooses the feeds of a step.
   *
   * @param candidates of one lane, in order of admission
   * @param prompts most prompt tokens, at least 1; where chunks are whole, one chunk passes
   * @param room bytes free in the publisher's buffer
   * @param idle whether that buffer is empty: then one token of one sequence (or one whole chunk)
   *     passes however large its rows are, or it would wait for ever
   * @param prefixes what prompts of those that join may begin with
   */
  List<Planned> plan(
      List<Candidate> candidates, int prompts, long room, boolean idle, SharedPrefixes prefixes) {
    List<Planned> planned = new ArrayList<>();
    long left = room;
    for (Candidate candidate : candidates) {
      if (!candidate.inPrefill() && affordable(candidate, 1, left, idle && planned.isEmpty()) > 0) {
        left -= add(planned, candidate, 1);
      }
    }
    int tokens = wholeChunks ? prefillTokens : Math.min(prefillTokens, prompts);
    List<Candidate> reading =
        candidates.stream()
            .filter(Candidate::inPrefill)
            .sorted(Comparator.comparingLong(candidate -> candidate.generation().turn()))
            .toList();
    for (Candidate candidate : reading) {
      if (tokens == 0) {
        break;
      }
      if (candidate.joining()) {
        candidate.generation().begin(prefixes.longest(candidate.generation(), planned));
      }
      int wanted = Math.min(prefillTokens, candidate.generation().promptLeft());
      int count = Math.min(wanted, tokens);
      count = affordable(candidate, count, left, idle && planned.isEmpty());
      if (count == wanted || (count > 0 && !wholeChunks)) {
        left -= add(planned, candidate, count);
        tokens -= count;
      }
    }
    return planned;
  }

  /** How many of so many tokens the publisher's buffer has room for. */
  private int affordable(Candidate candidate, int count, long left, boolean first) {
    long bytes = candidate.captureBytesPerToken();
    if (bytes == 0 || count == 0) {
      return count;
    }
    int least = !first ? 0 : wholeChunks ? count : 1;
    return (int) Math.max(least, Math.min(count, left / bytes));
  }

  private static long add(List<Planned> planned, Candidate candidate, int count) {
    StepPlan.Feed feed = candidate.generation().feed(count);
    long bytes = candidate.captureBytesPerToken() * count;
    planned.add(new Planned(candidate.generation(), feed, bytes));
    return bytes;
  }
}
