package io.lensflow.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Times two things in turn, A B A B …, so that a machine whose speed drifts slows both alike. The
 * first pair warms up and does not count.
 */
final class Comparison {
  private final int rounds;

  Comparison(int rounds) {
    this.rounds = rounds;
  }

  /** Something whose duration is taken. */
  interface Timed {
    void run() throws Exception;
  }

  /**
   * Per round: seconds of {@code reference} ÷ seconds of {@code measured}, a share of its speed.
   */
  List<Double> speedShare(Timed measured, Timed reference) throws Exception {
    List<Double> shares = new ArrayList<>();
    for (int round = 0; round <= rounds; round++) {
      double measuredSeconds = seconds(measured);
      double referenceSeconds = seconds(reference);
      if (round > 0) {
        shares.add(referenceSeconds / measuredSeconds);
      }
    }
    return shares;
  }

  private static double seconds(Timed timed) throws Exception {
    long start = System.nanoTime();
    timed.run();
    return (System.nanoTime() - start) * 1e-9;
  }
}
