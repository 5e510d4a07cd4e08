package io.lensflow.steering.build;

import io.lensflow.steering.items.ItemPair;

/**
 * Which token the matching answer has at ℓ, and which the other: (A, B) and (B, A) are the two
 * orders of one pair of labels.
 *
 * @param matching token id of the matching text at ℓ
 * @param other token id of the other text
 */
public record LabelOrder(int matching, int other) {
  /** The order of an item. */
  public static LabelOrder of(ItemPair pair) {
    return new LabelOrder(pair.matchingToken(), pair.otherToken());
  }

  /** Both exchanged. */
  public LabelOrder reversed() {
    return new LabelOrder(other, matching);
  }

  /** Whether it is the one of the two orders that stands for both. */
  boolean isFirst() {
    return matching < other;
  }
}
