package io.lensflow.steering.items;

import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.List;

/**
 * The chosen items of a data set, tokenised, and what was left out of them. Immutable.
 *
 * @param pairs usable items, in the order they were asked for
 * @param skipped chosen lines that cannot be used, with reasons
 * @param moreThanTwoChoices how many usable items list more than two choices
 */
public record ItemPairs(List<ItemPair> pairs, List<SkippedLine> skipped, int moreThanTwoChoices) {
  public ItemPairs {
    pairs = List.copyOf(pairs);
    skipped = List.copyOf(skipped);
  }

  /**
   * Tokenises chosen items.
   *
   * @param field what to name in an error, such as {@code train}
   * @param numbers the items' numbers
   * @param maxTokens the most tokens that a text may have up to and with its answer: the model's
   *     context; longer ones are skipped
   * @throws RefusedException if none of them can be used
   */
  public static ItemPairs of(
      String field, DataSet data, List<Integer> numbers, ItemRenderer renderer, int maxTokens) {
    List<ItemPair> pairs = new ArrayList<>();
    List<SkippedLine> skipped = new ArrayList<>();
    for (int number : numbers) {
      ContrastiveItem item = data.item(number);
      if (item == null) {
        data.skipped().stream().filter(line -> line.item() == number).forEach(skipped::add);
        continue;
      }
      try {
        pairs.add(fitting(renderer.pair(item), maxTokens));
      } catch (UnusableItemException e) {
        skipped.add(new SkippedLine(item.line(), number, e.getMessage()));
      }
    }
    if (pairs.isEmpty()) {
      throw RefusedException.invalid(
          field,
          numbers.isEmpty()
              ? "no item chosen"
              : "none of the %d items can be used; %s"
                  .formatted(numbers.size(), DataSet.quote(skipped)));
    }
    int many = (int) pairs.stream().filter(pair -> pair.item().choices() > 2).count();
    return new ItemPairs(pairs, skipped, many);
  }

  private static ItemPair fitting(ItemPair pair, int maxTokens) throws UnusableItemException {
    int tokens = pair.answerPosition() + 1;
    if (tokens > maxTokens) {
      throw new UnusableItemException(
          "%d tokens to its answer, but the model's context has %d".formatted(tokens, maxTokens));
    }
    return pair;
  }
}
