package io.lensflow.text.spec;

import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Layers as people name them: {@code all}, {@code 0-3,8,-1}, {@code 5-} (5 to the last). A negative
 * number counts from the end, so {@code -1} is the last layer, never "0…1".
 */
public final class LayerSpec {
  private static final Pattern SINGLE = Pattern.compile("-?\\d{1,6}");
  private static final Pattern RANGE = Pattern.compile("(\\d{1,6})-(\\d{1,6})?");

  private LayerSpec() {}

  /**
   * Resolves a spec against a model.
   *
   * @param spec the spec; case and white space do not count
   * @param layerCount L
   * @return layers, ascending, without repetition, each 0 … L−1
   * @throws IllegalArgumentException if the spec is not of this language or names a layer that the
   *     model does not have; the message says which layers are valid
   */
  public static List<Integer> resolve(String spec, int layerCount) {
    String text = spec.replaceAll("\\s", "").toLowerCase(Locale.ROOT);
    TreeSet<Integer> layers = new TreeSet<>();
    if (text.equals("all")) {
      addRange(layers, 0, layerCount - 1);
      return List.copyOf(layers);
    }
    for (String part : text.split(",", -1)) {
      Matcher range = RANGE.matcher(part);
      if (SINGLE.matcher(part).matches()) {
        int number = Integer.parseInt(part);
        layers.add(check(number < 0 ? number + layerCount : number, part, spec, layerCount));
      } else if (range.matches()) {
        int from = check(Integer.parseInt(range.group(1)), part, spec, layerCount);
        int to =
            range.group(2) == null
                ? layerCount - 1
                : check(Integer.parseInt(range.group(2)), part, spec, layerCount);
        if (from > to) {
          throw new IllegalArgumentException(
              "layers '%s': the range '%s' runs backwards".formatted(spec, part));
        }
        addRange(layers, from, to);
      } else {
        throw new IllegalArgumentException(
            "layers '%s': '%s' is not a layer; use all, a list such as 0-3,8,-1, or 5-"
                .formatted(spec, part));
      }
    }
    return List.copyOf(layers);
  }

  private static void addRange(TreeSet<Integer> layers, int from, int to) {
    for (int layer = from; layer <= to; layer++) {
      layers.add(layer);
    }
  }

  private static int check(int layer, String part, String spec, int layerCount) {
    if (layer < 0 || layer >= layerCount) {
      throw new IllegalArgumentException(
          "layers '%s': there is no layer %s; this model has layers 0 … %d"
              .formatted(spec, part, layerCount - 1));
    }
    return layer;
  }
}
