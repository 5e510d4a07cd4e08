package io.lensflow.steering.items;

import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A data set in three parts that share no item and no question: half to train, a quarter each to
 * validate and to test. Items that ask the same stay together, or a test would ask what was
 * trained. Equal seeds give equal parts of an equal file. Immutable.
 *
 * @param train item numbers to build from, ascending
 * @param validation item numbers to choose by, ascending
 * @param test item numbers to judge by, ascending
 */
public record ItemSplit(List<Integer> train, List<Integer> validation, List<Integer> test) {
  public ItemSplit {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /**
   * Splits what can be read of a data set.
   *
   * @throws RefusedException if there are too few questions for three parts
   */
  public static ItemSplit of(DataSet data, long seed) {
    Map<String, List<Integer>> byQuestion = new LinkedHashMap<>();
    for (int number = 0; number < data.size(); number++) {
      ContrastiveItem item = data.item(number);
      if (item != null) {
        byQuestion.computeIfAbsent(item.questionKey(), question -> new ArrayList<>()).add(number);
      }
    }
    List<List<Integer>> groups = new ArrayList<>(byQuestion.values());
    if (groups.size() < 4) {
      throw RefusedException.invalid(
          "split",
          "'%s' has %d different questions; a split needs at least 4"
              .formatted(data.name(), groups.size()));
    }
    // java.util.Random is specified bit for bit, so that a seed means the same everywhere.
    Collections.shuffle(groups, new Random(seed));
    int half = groups.size() / 2;
    int threeQuarters = half + (groups.size() - half) / 2;
    return new ItemSplit(
        flat(groups.subList(0, half)),
        flat(groups.subList(half, threeQuarters)),
        flat(groups.subList(threeQuarters, groups.size())));
  }

  private static List<Integer> flat(List<List<Integer>> groups) {
    return groups.stream().flatMap(List::stream).sorted().toList();
  }
}
