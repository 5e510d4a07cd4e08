package io.lensflow.engine.capture;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;

/**
 * A sequence's capture plan, checked against the model and made quick to ask.
 *
 * <p>Immutable once made.
 */
public final class SequenceCapture {
  private final CapturePlan plan;
  private final int promptLength;
  private final BitSet places = new BitSet();
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
    }
    if (Set.copyOf(plan.hookPoints()).size() < plan.hookPoints().size()) {
      throw new IllegalArgumentException(
          "capture: a hook point is named twice: " + plan.hookPoints());
    }
    for (HookPoint point : plan.hookPoints()) {
      plan.layers().forEach(layer -> places.set(place(layer, point)));
    }
    if (plan.finalRow()) {
      places.set(place(lastLayer, HookPoint.RESIDUAL_POST));
    }
  }

  /** The number of a (layer, hook point). */
  static int place(int layer, HookPoint point) {
    return layer * HookPoint.values().length + point.ordinal();
  }

  CapturePlan plan() {
    return plan;
  }

  int lastLayer() {
    return lastLayer;
  }

  /** Every {@link #place} whose rows are staged, the final row's included. Not to be changed. */
  public BitSet places() {
    return places;
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
    return Arrays.copyOf(selected, size);
  }
}
