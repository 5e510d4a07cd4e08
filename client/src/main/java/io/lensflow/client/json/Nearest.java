package io.lensflow.client.json;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;

/** Finds the name that somebody probably meant. */
final class Nearest {
  private Nearest() {}

  /** {@code " (did you mean 'layers'?)"}, or an empty string where nothing known comes close. */
  static String hint(String name, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt(candidate -> distance(name, candidate)))
        .filter(best -> distance(name, best) <= Math.max(1, best.length() / 3))
        .map(best -> " (did you mean '%s'?)".formatted(best))
        .orElse("");
  }

  /** Levenshtein's distance; case, {@code _} and {@code -} do not count. */
  static int distance(String from, String to) {
    String a = plain(from);
    String b = plain(to);
    if (Math.abs(a.length() - b.length()) > b.length()) {
      return Integer.MAX_VALUE; // also keeps a name of a megabyte from costing one per candidate
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
  }
}
