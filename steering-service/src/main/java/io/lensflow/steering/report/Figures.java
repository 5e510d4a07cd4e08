package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Interval;
import java.util.Locale;

/** Numbers as reports write them. Stateless. */
final class Figures {
  /** What five places show of. */
  private static final double SMALLEST = 5e-6;

  private Figures() {}

  /** Three significant places or so, with a true minus; a dash for what is not known. */
  static String of(Double value) {
    if (value == null || value.isNaN()) {
      return "–";
    }
    double size = Math.abs(value);
    if (size < SMALLEST) {
      return "0";
    }
    String format = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 0.1 ? "%.3f" : "%.5f";
    return String.format(Locale.ROOT, format, value).replace("-", "−");
  }

  /** Two places, for narrow cells. */
  static String hundredths(double value) {
    return String.format(Locale.ROOT, "%.2f", value).replace("-", "−");
  }

  /** A share in per cent. */
  static String share(double value) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * value);
  }

  /** From … to. */
  static String of(Interval interval) {
    return "%s … %s".formatted(of(interval.low()), of(interval.high()));
  }

  /** A multiplier, without zeros that say nothing. */
  static String multiplier(double value) {
    String text = String.format(Locale.ROOT, "%.4f", value).replaceAll("\\.?0+$", "");
    return text.replace("-", "−");
  }
}
