package io.lensflow.bench.timing;

import io.lensflow.bench.figure.Figure;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What a {@link Comparison} took.
 *
 * @param rounds per counted round the seconds of each thing, in the order given
 */
public record Timings(List<double[]> rounds) {
  public Timings {
    rounds = List.copyOf(rounds);
  }

  /** Per round something made of its seconds, such as a quotient of two. */
  public List<Double> samples(ToDoubleFunction<double[]> of) {
    return rounds.stream().map(of::applyAsDouble).toList();
  }

  /** Median seconds of the i-th thing. */
  public double median(int i) {
    return Figure.median(samples(seconds -> seconds[i]));
  }
}
