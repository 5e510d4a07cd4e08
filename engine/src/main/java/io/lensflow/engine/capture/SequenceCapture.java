package io.lensflow.engine.capture;

import java.util.BitSet;
import java.util.EnumMap;
import java.util.Map;

/**
 * A sequence's capture plan, checked against the model and made quick to ask.
 *
 * <p>Immutable once made.
 */
public final class SequenceCapture {
  private final CapturePlan plan;
  private final int promptLength;
  private final Map<HookPoint, BitSet> layers = new EnumMap<>(HookPoint.class);
  private final int lastLayer;

  /**
   * @param layerCount L
   * @throws IllegalArgumentException if the plan names a layer that the model does not have, or a
   *     hook point twice
   */
  public SequenceCapture(CapturePlan plan, int promptLength, int layerCount) {
    this.plan = plan;
    this.promptLength = promptLength;
    this.lastLayer = layerCount - 1;
    BitSet wanted = new BitSet(layerCount);
    int previous = -1;
    for (int layer : plan.layers()) {
      if (layer < 0 || layer > lastLayer) {
        throw new IllegalArgumentException(
            "capture: there is no layer %d; this model has layers 0 … %d"
                .formatted(layer, lastLayer));
      }
      if (layer <= previous) {
        throw new IllegalArgumentException("capture: layers are not ascending: " + plan.layers());
      }
      previous = layer;
      wanted.set(layer);
    }
    for (HookPoint point : plan.hookPoints()) {
      if (layers.put(point, wanted) != null) {
        throw new IllegalArgumentException("capture: hook point " + point + " is named twice");
      }
    }
    if (plan.finalRow()) {
      BitSet withLast = new BitSet(layerCount);
      withLast.or(layers.getOrDefault(HookPoint.RESIDUAL_POST, withLast));
      withLast.set(lastLayer);
      layers.put(HookPoint.RESIDUAL_POST, withLast);
    }
  }

  CapturePlan plan() {
    return plan;
  }

  int lastLayer() {
    return lastLayer;
  }

  /** Layers whose rows are staged at a hook point, the final row's included. */
  BitSet layers(HookPoint point) {
    return layers.getOrDefault(point, new BitSet());
  }

  /** Which of {@code count} positions from {@code first} on are captured. */
  public int[] positions(int first, int count) {
    int[] selected = new int[count];
    int size = 0;
    for (int position = first; position < first + count; position++) {
      if (plan.positions().selects(position, promptLength)) {
        selected[size++] = position;
      }
    }
    return java.util.Arrays.copyOf(selected, size);
  }
}
