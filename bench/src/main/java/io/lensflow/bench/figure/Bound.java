package io.lensflow.bench.figure;

import java.util.Locale;

/**
 * What a figure is held to.
 *
 * @param sense whether the value must reach or stay under the limit
 * @param limit what it must reach; NaN where it is only stated
 * @param aim what it should reach; NaN where there is no aim
 */
public record Bound(Sense sense, double limit, double aim) {
  /** Only stated. */
  public static final Bound NONE = new Bound(Sense.AT_LEAST, Double.NaN, Double.NaN);

  /** Which side of the limit is good. */
  public enum Sense {
    AT_LEAST("≥"),
    AT_MOST("≤");

    private final String sign;

    Sense(String sign) {
      this.sign = sign;
    }
  }

  /** At least {@code limit}, better {@code aim}; NaN for none. */
  public static Bound atLeast(double limit, double aim) {
    return new Bound(Sense.AT_LEAST, limit, aim);
  }

  /** At most {@code limit}. */
  public static Bound atMost(double limit) {
    return new Bound(Sense.AT_MOST, limit, Double.NaN);
  }

  /** Only an aim. */
  public static Bound aimingAt(double aim) {
    return new Bound(Sense.AT_LEAST, Double.NaN, aim);
  }

  /** Whether the limit is kept; true where there is none. */
  public boolean isKeptBy(double value) {
    return Double.isNaN(limit) || keeps(value, limit);
  }

  /** {@code aim reached}, {@code limit kept}, {@code MISSED}, or empty where nothing is asked. */
  public String verdict(double value) {
    if (!isKeptBy(value)) {
      return "MISSED";
    }
    if (!Double.isNaN(aim)) {
      return keeps(value, aim) ? "aim reached" : Double.isNaN(limit) ? "below aim" : "limit kept";
    }
    return Double.isNaN(limit) ? "" : "limit kept";
  }

  private boolean keeps(double value, double bound) {
    return sense == Sense.AT_LEAST ? value >= bound : value <= bound;
  }

  /** Such as {@code ≥ 0.97, aim 0.99}. */
  @Override
  public String toString() {
    if (Double.isNaN(limit)) {
      return Double.isNaN(aim) ? "stated" : "aim " + number(aim);
    }
    String text = sense.sign + " " + number(limit);
    return Double.isNaN(aim) ? text : text + ", aim " + number(aim);
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.2f", value);
  }
}
