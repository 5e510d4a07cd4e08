package io.lensflow.bench.timing;

import java.util.ArrayList;
import java.util.List;

/**
 * Times several things in turn, A B C A B C …, so that a machine whose speed drifts slows all of
 * them alike. The first round warms up and does not count.
 */
public final class Comparison {
  private final int rounds;

  /**
   * @param rounds how many rounds count, at least 1
   */
  public Comparison(int rounds) {
    if (rounds < 1) {
      throw new IllegalArgumentException("rounds is " + rounds + "; it must be at least 1");
    }
    this.rounds = rounds;
  }

  /** How many rounds count. */
  public int rounds() {
    return rounds;
  }

  /** Runs all rounds, each thing once in each. */
  public Timings alternate(Timed... timed) throws Exception {
    return alternate(1, timed);
  }

  /**
   * Runs all rounds. Within a round everything is done {@code turns} times, in turn and in
   * alternating order, and the seconds are added up: the finer things are mixed, the less a burst
   * of other work falls on one of them.
   */
  public Timings alternate(int turns, Timed... timed) throws Exception {
    List<double[]> counted = new ArrayList<>();
    for (int round = 0; round <= rounds; round++) {
      double[] seconds = new double[timed.length];
      for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < timed.length; i++) {
          int at = turn % 2 == 0 ? i : timed.length - 1 - i;
          seconds[at] += timed[at].seconds();
        }
      }
      if (round > 0) {
        counted.add(seconds);
      }
    }
    return new Timings(counted);
  }
}
