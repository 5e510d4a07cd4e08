package io.lensflow.steering.items;

import io.lensflow.steering.vector.RefusedException;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Items as people name them: {@code all}, {@code 0-99}, {@code 0-9,20,30-} (30 to the last), by
 * number from 0.
 */
public final class ItemRange {
  private static final Pattern PART = Pattern.compile("(\\d{1,9})(-(\\d{1,9})?)?");

  private ItemRange() {}

  /**
   * Resolves a range against a data set.
   *
   * @param field what to name in an error, such as {@code train}
   * @param range the range; white space does not count
   * @param size how many items there are
   * @return item numbers, ascending, without repetition
   * @throws RefusedException if it is not of this language, runs backwards, or names what is not
   *     there
   */
  public static List<Integer> resolve(String field, String range, int size) {
    String text = range.replaceAll("\\s", "");
    if (text.equalsIgnoreCase("all")) {
      return IntStream.range(0, size).boxed().toList();
    }
    TreeSet<Integer> numbers = new TreeSet<>();
    for (String part : text.split(",", -1)) {
      Matcher matcher = PART.matcher(part);
      if (!matcher.matches()) {
        throw RefusedException.invalid(
            field,
            "'%s' is no range of items; use all, a list such as 0-99,120, or 200-".formatted(part));
      }
      int from = check(field, matcher.group(1), size);
      int to = from;
      if (matcher.group(2) != null) {
        to = matcher.group(3) == null ? size - 1 : check(field, matcher.group(3), size);
      }
      if (from > to) {
        throw RefusedException.invalid(field, "the range '%s' runs backwards".formatted(part));
      }
      IntStream.rangeClosed(from, to).forEach(numbers::add);
    }
    return List.copyOf(numbers);
  }

  private static int check(String field, String digits, int size) {
    int number = Integer.parseInt(digits);
    if (number >= size) {
      throw RefusedException.invalid(
          field, "there is no item %d; the data set has items 0 … %d".formatted(number, size - 1));
    }
    return number;
  }

  /** Item numbers as a range in this language, such as {@code 0-79,90}; ascending order needed. */
  public static String format(List<Integer> numbers) {
    StringBuilder text = new StringBuilder();
    for (int start = 0, end; start < numbers.size(); start = end) {
      end = start + 1;
      while (end < numbers.size() && numbers.get(end) == numbers.get(end - 1) + 1) {
        end++;
      }
      text.append(text.isEmpty() ? "" : ",").append(numbers.get(start));
      if (end - start > 1) {
        text.append('-').append(numbers.get(end - 1));
      }
    }
    return text.toString();
  }
}
