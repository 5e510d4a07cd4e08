package io.lensflow.steering.items;

/**
 * A line of a data set that nothing is learnt from.
 *
 * @param line the line in the file, from 1
 * @param item the item's number, from 0
 * @param reason why, in words that need no further context
 */
public record SkippedLine(int line, int item, String reason) {
  @Override
  public String toString() {
    return "line %d: %s".formatted(line, reason);
  }
}
