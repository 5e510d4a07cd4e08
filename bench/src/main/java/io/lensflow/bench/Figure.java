package io.lensflow.bench;

import java.util.List;

/**
 * One measured figure.
 *
 * @param name stable name, such as {@code capture-share-b1}
 * @param value the median of the samples
 * @param unit unit of the value; {@code ratio} for a quotient of two timings
 * @param samples every sample, in the order taken
 */
public record Figure(String name, double value, String unit, List<Double> samples) {
  public Figure {
    samples = List.copyOf(samples);
  }

  static Figure ofSamples(String name, String unit, List<Double> samples) {
    List<Double> sorted = samples.stream().sorted().toList();
    int middle = sorted.size() / 2;
    double median =
        sorted.size() % 2 == 1
            ? sorted.get(middle)
            : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    return new Figure(name, median, unit, samples);
  }
}
