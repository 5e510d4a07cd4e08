package io.lensflow.hub;

import java.util.Locale;

/** Numbers of bytes for people to read, in powers of 1000 as disks and networks count. */
public final class Bytes {
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB"};

  private Bytes() {}

  /** Such as {@code 269 MB} or {@code 2.5 GB}. */
  public static String text(double bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(
        Locale.ROOT, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
  }
}
