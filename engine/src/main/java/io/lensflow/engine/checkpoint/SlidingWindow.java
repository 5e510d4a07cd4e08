package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.TreeSet;

/**
 * Attention that reaches back a fixed number of tokens: position p sees p − size + 1 … p.
 *
 * @param size w, in tokens
 * @param layers the layers that have it, 0 … L−1; the others see everything
 */
public record SlidingWindow(int size, Set<Integer> layers) {
  /** What transformers assumes where the field is absent; null means none. */
  private static final int DEFAULT_SIZE = 4096;

  private static final int DEFAULT_FULL_LAYERS = 28;
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";

  public SlidingWindow {
    layers = Set.copyOf(layers);
  }

  /**
   * The window that a configuration describes; null if no layer has one. Llama has none whatever
   * its configuration says, Mistral has one in all layers, Qwen where {@code use_sliding_window}
   * turns it on: in the layers of {@code layer_types}, or else from {@code max_window_layers} on.
   */
  static SlidingWindow of(ConfigFields config, Architecture architecture, int layerCount)
      throws CheckpointException {
    boolean qwen = architecture == Architecture.QWEN2 || architecture == Architecture.QWEN3;
    boolean on =
        switch (architecture) {
          case LLAMA -> false;
          case MISTRAL -> !config.isNull("sliding_window");
          case QWEN2, QWEN3 ->
              config.flag("use_sliding_window", false) && !config.isNull("sliding_window");
        };
    int firstLayer = qwen ? layer(config, "max_window_layers", DEFAULT_FULL_LAYERS) : 0;
    Set<Integer> layers = new TreeSet<>();
    if (config.has("layer_types") && architecture != Architecture.LLAMA) {
      listed(config, layerCount, layers);
      if (!on && !layers.isEmpty()) {
        throw config.refused(
            "layer_types", SLIDING, FULL + " alone where no sliding window is turned on");
      }
      if (on && !qwen && layers.size() != layerCount) {
        throw config.refused(
            "layer_types",
            FULL,
            "a window in all layers or in none for " + architecture.className());
      }
    } else if (on) {
      for (int layer = firstLayer; layer < layerCount; layer++) {
        layers.add(layer);
      }
    }
    if (layers.isEmpty()) {
      return null;
    }
    return new SlidingWindow(config.positive("sliding_window", DEFAULT_SIZE), layers);
  }

  private static int layer(ConfigFields config, String field, int fallback)
      throws CheckpointException {
    if (!config.has(field)) {
      return fallback;
    }
    JsonNode node = config.node(field);
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
      throw config.wrong(field, "a number of layers");
    }
    return node.intValue();
  }

  private static void listed(ConfigFields config, int layerCount, Set<Integer> sliding)
      throws CheckpointException {
    JsonNode types = config.node("layer_types");
    if (!types.isArray() || types.size() != layerCount) {
      throw config.broken(
          "layer_types lists %d layers; num_hidden_layers is %d"
              .formatted(types.size(), layerCount));
    }
    for (int layer = 0; layer < layerCount; layer++) {
      String type = types.get(layer).asText();
      if (type.equals(SLIDING)) {
        sliding.add(layer);
      } else if (!type.equals(FULL)) {
        throw config.refused("layer_types", type, FULL + ", " + SLIDING);
      }
    }
  }
}
