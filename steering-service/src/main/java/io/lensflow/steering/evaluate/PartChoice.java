package io.lensflow.steering.evaluate;

import io.lensflow.steering.evaluate.EvaluatePlan.Parts;
import io.lensflow.steering.items.ContrastiveItem;
import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemPairs;
import io.lensflow.steering.items.ItemRange;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.ItemSplit;
import io.lensflow.steering.items.SkippedLine;
import io.lensflow.steering.vector.RefusedException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which items train, validate and test: as ranges, or by a split. Used by one thread. */
final class PartChoice {
  private final EvaluateRequest request;
  private final BuiltFrom builtFrom;
  private final DataSet data;
  private final ItemRenderer renderer;
  private final int maxTokens;
  private final int maxItems;
  private final ItemSplit split;

  /**
   * @param builtFrom what the vector was built from, where that is known; else null
   * @param maxTokens the model's context
   * @param maxItems most items of a part
   */
  PartChoice(
      EvaluateRequest request,
      BuiltFrom builtFrom,
      DataSet data,
      ItemRenderer renderer,
      int maxTokens,
      int maxItems) {
    this.request = request;
    this.builtFrom = builtFrom;
    this.data = data;
    this.renderer = renderer;
    this.maxTokens = maxTokens;
    this.maxItems = maxItems;
    this.split = request.split() == null ? null : ItemSplit.of(data, request.split());
  }

  /**
   * The parts.
   *
   * @throws RefusedException if a part is missing, empty, too large or shares items with another
   */
  Parts choose() {
    boolean sweep = request.sweep() != null;
    List<Integer> test = numbers("test", request.test(), split == null ? null : split.test());
    List<Integer> train = numbers("train", trainRange(), split == null ? null : split.train());
    List<Integer> validation =
        sweep
            ? numbers("validation", request.validation(), split == null ? null : split.validation())
            : null;
    require("test", test, "the items to judge by, such as 200-239");
    if (sweep) {
      require("train", train, "the items to build from, such as 0-99");
      require("validation", validation, "the items to choose the site by, such as 100-149");
    }
    apart("train", train, "test", test);
    apart("validation", validation, "test", test);
    apart("train", train, "validation", validation);
    if (builtFrom != null) {
      apart("the items that it was built from", known(builtFrom.items()), "test", test);
      apart("the items that its site was chosen by", known(builtFrom.chosenBy()), "test", test);
    }
    ItemPairs testPairs = pairs("test", test);
    ItemPairs trainPairs = pairs("train", train);
    ItemPairs validationPairs = pairs("validation", validation);
    return new Parts(
        testPairs,
        trainPairs,
        validationPairs,
        repeated(test, train, validation),
        skipped(testPairs, trainPairs, validationPairs));
  }

  private String trainRange() {
    boolean asBuilt = request.train() == null && split == null && builtFrom != null;
    return asBuilt ? builtFrom.items() : request.train();
  }

  private List<Integer> known(String range) {
    return numbers("train", range, null);
  }

  private List<Integer> numbers(String field, String range, List<Integer> ofSplit) {
    return range == null ? ofSplit : ItemRange.resolve(field, range, data.size());
  }

  private static void require(String field, List<Integer> numbers, String what) {
    if (numbers == null) {
      throw RefusedException.invalid(field, "must say " + what + "; or give split, a seed");
    }
  }

  private static void apart(String nameA, List<Integer> a, String nameB, List<Integer> b) {
    if (a == null || b == null) {
      return;
    }
    List<Integer> both = a.stream().filter(Set.copyOf(b)::contains).toList();
    if (!both.isEmpty()) {
      throw RefusedException.invalid(
          nameB,
          "items %s are in %s too; parts must not share items"
              .formatted(ItemRange.format(both), nameA));
    }
  }

  private ItemPairs pairs(String field, List<Integer> numbers) {
    if (numbers == null) {
      return null;
    }
    if (numbers.size() > maxItems) {
      throw RefusedException.invalid(
          field,
          "%d items, more than %d; name fewer, or raise lensflow.steering.evaluate.max-items"
              .formatted(numbers.size(), maxItems));
    }
    return ItemPairs.of(field, data, numbers, renderer, maxTokens);
  }

  private List<SkippedLine> skipped(ItemPairs... parts) {
    Stream<SkippedLine> chosen =
        Arrays.stream(parts).filter(Objects::nonNull).flatMap(part -> part.skipped().stream());
    Stream<SkippedLine> unread = split == null ? Stream.of() : data.skipped().stream();
    return Stream.concat(chosen, unread)
        .distinct()
        .sorted(Comparator.comparingInt(SkippedLine::line))
        .toList();
  }

  /** Ranges can part items that ask the same; a split cannot. */
  private int repeated(List<Integer> test, List<Integer> train, List<Integer> validation) {
    Set<String> seen =
        Stream.of(train, validation)
            .filter(Objects::nonNull)
            .flatMap(List::stream)
            .map(data::item)
            .filter(Objects::nonNull)
            .map(ContrastiveItem::questionKey)
            .collect(Collectors.toSet());
    return (int)
        test.stream()
            .map(data::item)
            .filter(Objects::nonNull)
            .filter(item -> seen.contains(item.questionKey()))
            .count();
  }
}
