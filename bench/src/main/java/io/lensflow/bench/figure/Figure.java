package io.lensflow.bench.figure;

import java.util.List;

/**
 * One measured figure.
 *
 * @param name stable name, such as {@code capture-share-b1}
 * @param value the median of the samples
 * @param unit unit of the value; {@code ratio} for a quotient of two timings
 * @param samples every counted sample, in the order taken
 */
public record Figure(String name, double value, String unit, List<Double> samples) {
  public Figure {
    samples = List.copyOf(samples);
  }

  /** The figure whose value is the median of its samples, of which there is at least one. */
  public static Figure ofSamples(String name, String unit, List<Double> samples) {
    return new Figure(name, median(samples), unit, samples);
  }

  /** The middle value, or the mean of the two in the middle. */
  public static double median(List<Double> samples) {
    if (samples.isEmpty()) {
      throw new IllegalArgumentException("no samples");
    }
    List<Double> sorted = samples.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
