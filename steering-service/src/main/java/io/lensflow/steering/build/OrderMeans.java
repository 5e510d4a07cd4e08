package io.lensflow.steering.build;

import io.lensflow.steering.algebra.Doubles;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Means of the differences d = h₊ − h₋ at one site, by order of labels, summed in double precision.
 * Not thread-safe.
 */
final class OrderMeans {
  private static final class Sum {
    final double[] values;
    int count;

    Sum(int hiddenSize) {
      this.values = new double[hiddenSize];
    }
  }

  private final int hiddenSize;
  private final Map<LabelOrder, Sum> sums = new HashMap<>();

  /**
   * @param hiddenSize D
   */
  OrderMeans(int hiddenSize) {
    this.hiddenSize = hiddenSize;
  }

  /**
   * Takes an item's rows.
   *
   * @param matching h₊ [D]
   * @param other h₋ [D]
   */
  void add(LabelOrder order, float[] matching, float[] other) {
    Sum sum = sums.computeIfAbsent(order, none -> new Sum(hiddenSize));
    for (int i = 0; i < hiddenSize; i++) {
      sum.values[i] += (double) matching[i] - other[i];
    }
    sum.count++;
  }

  /** The mean [D] of an order that is there. */
  double[] mean(LabelOrder order) {
    Sum sum = sums.get(order);
    double[] mean = new double[hiddenSize];
    for (int i = 0; i < hiddenSize; i++) {
      mean[i] = sum.values[i] / sum.count;
    }
    return mean;
  }

  /** The mean [D] over all items, whatever their order. */
  double[] plain() {
    double[] mean = new double[hiddenSize];
    int count = 0;
    for (LabelOrder order : sorted()) {
      Sum sum = sums.get(order);
      count += sum.count;
      for (int i = 0; i < hiddenSize; i++) {
        mean[i] += sum.values[i];
      }
    }
    return Doubles.scaled(mean, 1.0 / count);
  }

  /**
   * The mean [D] of all orders whose reverse is there too, each weighing the same; null if there is
   * none.
   */
  double[] balanced() {
    List<LabelOrder> orders = sorted().stream().filter(this::hasReverse).toList();
    if (orders.isEmpty()) {
      return null;
    }
    double[] mean = new double[hiddenSize];
    for (LabelOrder order : orders) {
      Doubles.addTo(mean, 1.0 / orders.size(), mean(order));
    }
    return mean;
  }

  /** The greatest length of an order's mean. */
  double largestNorm() {
    return sums.keySet().stream().mapToDouble(order -> Doubles.norm(mean(order))).max().orElse(0);
  }

  /** Whether items of the reverse order were taken. */
  boolean hasReverse(LabelOrder order) {
    return sums.containsKey(order) && sums.containsKey(order.reversed());
  }

  /**
   * For each pair of labels, what the letters alone make: half the difference [D] of the two
   * orders' means.
   */
  List<double[]> labelDirections() {
    List<double[]> directions = new ArrayList<>();
    for (LabelOrder order : sorted()) {
      if (order.isFirst() && hasReverse(order)) {
        double[] half = Doubles.scaled(mean(order), 0.5);
        Doubles.addTo(half, -0.5, mean(order.reversed()));
        directions.add(half);
      }
    }
    return directions;
  }

  /** In an order that does not depend on when rows came. */
  private List<LabelOrder> sorted() {
    return sums.keySet().stream()
        .sorted(Comparator.comparingInt(LabelOrder::matching).thenComparingInt(LabelOrder::other))
        .toList();
  }
}
