package io.lensflow.ingest.stream;

import io.lensflow.records.HookPoint;
import io.lensflow.text.spec.PositionSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which lens rows a client wants to see. Immutable and thread-safe.
 *
 * @param layer asked with a layer's number
 * @param hookPoints wanted hook points; empty wants all
 */
public record RowFilter(IntPredicate layer, Set<HookPoint> hookPoints) {
  /** Every row. */
  public static final RowFilter ALL = new RowFilter(layer -> true, Set.of());

  private static final Pattern LAYERS =
      Pattern.compile("\\d{1,6}(-\\d{0,6})?(,\\d{1,6}(-\\d{0,6})?)*");

  public RowFilter {
    hookPoints = Set.copyOf(hookPoints);
  }

  /**
   * Reads a layer filter: {@code all}, or numbers and ranges such as {@code 0-3,8,20-}. Results do
   * not say how many layers the model has, so that counting from the last ({@code -1}) has no
   * meaning here.
   *
   * @param text null wants all
   * @throws IllegalArgumentException if it is none
   */
  public static IntPredicate layers(String text) {
    if (text == null || text.strip().equalsIgnoreCase("all")) {
      return layer -> true;
    }
    if (!LAYERS.matcher(text.strip()).matches()) {
      throw new IllegalArgumentException(
          "layers '%s' must be all, or layers and ranges from 0 such as 0-3,8,20-".formatted(text));
    }
    // The language of positions with no prompt: plain numbers, ranges, open ranges.
    PositionSpec spec = PositionSpec.parse(text.strip());
    return layer -> spec.selects(layer, 0);
  }

  /**
   * Reads hook points, comma separated, in any case.
   *
   * @param text null wants all
   * @throws IllegalArgumentException if one is unknown
   */
  public static Set<HookPoint> hookPoints(String text) {
    if (text == null || text.isBlank() || text.strip().equalsIgnoreCase("all")) {
      return Set.of();
    }
    return Arrays.stream(text.split(",", -1))
        .map(name -> hookPoint(name.strip()))
        .collect(Collectors.toUnmodifiableSet());
  }

  private static HookPoint hookPoint(String name) {
    List<HookPoint> known =
        Arrays.stream(HookPoint.values()).filter(point -> point != HookPoint.UNKNOWN).toList();
    String symbol = name.toUpperCase(Locale.ROOT).replace('-', '_');
    return known.stream()
        .filter(point -> point.name().equals(symbol))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "hookPoints: there is no '%s'; use %s".formatted(name, known)));
  }

  boolean wants(HookPoint hookPoint) {
    return hookPoints.isEmpty() || hookPoints.contains(hookPoint);
  }
}
