package io.lensflow.steering.items;

import java.util.Arrays;

/**
 * The two texts of an item as token ids. Immutable by agreement: nobody writes to the arrays.
 *
 * @param item the item
 * @param matching token ids of prompt and matching answer
 * @param other token ids of prompt and the other answer
 * @param answerPosition ℓ ≥ 1, the first index at which the two differ; both have a token there
 */
public record ItemPair(ContrastiveItem item, int[] matching, int[] other, int answerPosition) {
  /** The token ids 0 … ℓ−1, which both share. */
  public int[] prefix() {
    return Arrays.copyOf(matching, answerPosition);
  }

  /** The matching text's token at ℓ: the answer's letter, or Yes or No. */
  public int matchingToken() {
    return matching[answerPosition];
  }

  /** The other text's token at ℓ. */
  public int otherToken() {
    return other[answerPosition];
  }

  /** Token ids 0 … ℓ of the matching text: as far as the row at ℓ needs them. */
  public int[] matchingToAnswer() {
    return Arrays.copyOf(matching, answerPosition + 1);
  }

  /** Token ids 0 … ℓ of the other text. */
  public int[] otherToAnswer() {
    return Arrays.copyOf(other, answerPosition + 1);
  }
}
