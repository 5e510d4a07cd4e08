package io.lensflow.steering.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Maps values to pixels along one direction, and knows where round values stand. Immutable.
 *
 * @param low smallest value
 * @param high largest value, above {@code low}
 * @param from pixel of {@code low}
 * @param to pixel of {@code high}
 */
record Axis(double low, double high, double from, double to) {
  /** Wider by a share on both sides, or by something where all values are one. */
  static Axis around(double low, double high, double share, double from, double to) {
    double room = high > low ? (high - low) * share : Math.max(1e-3, Math.abs(high) * 0.1);
    return new Axis(low - room, high + room, from, to);
  }

  double at(double value) {
    return from + (value - low) / (high - low) * (to - from);
  }

  /** Round values in range, about {@code count} of them. */
  List<Double> ticks(int count) {
    double step = step((high - low) / count);
    List<Double> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      ticks.add(i * step);
    }
    return ticks;
  }

  /** The next of 1, 2, 5, 10, … times a power of ten. */
  private static double step(double rough) {
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double lead = rough / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  }

  /** A tick's label, with as many places as its neighbours differ in. */
  String label(double tick, int count) {
    double step = step((high - low) / count);
    int places = (int) Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    String text = String.format(Locale.ROOT, "%." + Math.min(places, 6) + "f", tick);
    return text.replace("-", "−");
  }
}
