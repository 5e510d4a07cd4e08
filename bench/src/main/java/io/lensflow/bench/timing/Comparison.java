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

  /** Runs all rounds. */
  public Timings alternate(Timed... timed) throws Exception {
    List<double[]> counted = new ArrayList<>();
    for (int round = 0; round <= rounds; round++) {
      double[] seconds = new double[timed.length];
      for (int i = 0; i < timed.length; i++) {
        seconds[i] = timed[i].seconds();
      }
      if (round > 0) {
        counted.add(seconds);
      }
    }
    return new Timings(counted);
  }
}
