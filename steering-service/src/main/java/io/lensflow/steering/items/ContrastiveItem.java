package io.lensflow.steering.items;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A question with an answer that shows a behaviour and one that does not. Immutable.
 *
 * @param number its number in the data set, from 0; lines that could not be read have numbers too
 * @param line its line in the file, from 1
 * @param question the prompt that both texts share
 * @param matching answer that shows the behaviour, as it stands: usually with a leading space
 * @param other answer that does not
 */
public record ContrastiveItem(
    int number, int line, String question, String matching, String other) {
  private static final Pattern CHOICE = Pattern.compile("^\\s*\\([A-Z]\\)", Pattern.MULTILINE);

  /** Choices that the question lists, each a line such as {@code (A) …}; 0 if it lists none. */
  public int choices() {
    return (int) CHOICE.matcher(question).results().map(r -> r.group().strip()).distinct().count();
  }

  /** The same for questions that differ in case and white space only. */
  public String questionKey() {
    return question.strip().toLowerCase(Locale.ROOT).replaceAll("\\s+", " ");
  }
}
