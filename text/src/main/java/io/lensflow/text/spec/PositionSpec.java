package io.lensflow.text.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Absolute positions of a sequence as people name them, resolved against its prompt length P:
 * {@code all}; {@code prompt} (0 … P−1); {@code last_prompt} (P−1); {@code from_label} (P−1 and all
 * after); {@code generated} (P and after); or a list of indices and ranges such as {@code 0,2,-1}
 * or {@code 1-}, in which a negative index counts from the prompt's end ({@code -1} is P−1).
 *
 * <p>Immutable and thread-safe; two specs are equal if their texts are.
 */
public final class PositionSpec {
  /** Every position. */
  public static final PositionSpec ALL = parse("all");

  private static final Pattern SINGLE = Pattern.compile("-?\\d{1,9}");
  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})-(\\d{1,9})?");

  private final String text;
  private final List<Span> spans;

  private PositionSpec(String text, List<Span> spans) {
    this.text = text;
    this.spans = List.copyOf(spans);
  }

  /**
   * Reads a spec.
   *
   * @throws IllegalArgumentException if it is not of this language; the message says what is
   */
  public static PositionSpec parse(String spec) {
    String text = spec.replaceAll("\\s", "").toLowerCase(Locale.ROOT);
    List<Span> spans = new ArrayList<>();
    switch (text) {
      case "all" -> spans.add(new Span(0, false, Integer.MAX_VALUE, false));
      case "prompt" -> spans.add(new Span(0, false, -1, true));
      case "last_prompt" -> spans.add(new Span(-1, true, -1, true));
      case "from_label" -> spans.add(new Span(-1, true, Integer.MAX_VALUE, false));
      case "generated" -> spans.add(new Span(0, true, Integer.MAX_VALUE, false));
      default -> {
        for (String part : text.split(",", -1)) {
          spans.add(parsePart(part, spec));
        }
      }
    }
    return new PositionSpec(text, spans);
  }

  private static Span parsePart(String part, String spec) {
    Matcher range = RANGE.matcher(part);
    if (SINGLE.matcher(part).matches()) {
      int index = Integer.parseInt(part);
      return new Span(index, index < 0, index, index < 0);
    }
    if (range.matches()) {
      int from = Integer.parseInt(range.group(1));
      int to = range.group(2) == null ? Integer.MAX_VALUE : Integer.parseInt(range.group(2));
      if (from > to) {
        throw new IllegalArgumentException(
            "positions '%s': the range '%s' runs backwards".formatted(spec, part));
      }
      return new Span(from, false, to, false);
    }
    throw new IllegalArgumentException(
        "positions '%s': '%s' is not a position; use all, prompt, last_prompt, from_label, generated, or a list such as 0,2,-1 or 1-"
            .formatted(spec, part));
  }

  /**
   * Whether the spec selects a position.
   *
   * @param position absolute position, from 0
   * @param promptLength P
   */
  public boolean selects(int position, int promptLength) {
    for (Span span : spans) {
      if (span.contains(position, promptLength)) {
        return true;
      }
    }
    return false;
  }

  /** The first selected position before {@code end}, or {@code end} if none is. */
  public int firstSelected(int end, int promptLength) {
    int position = 0;
    while (position < end && !selects(position, promptLength)) {
      position++;
    }
    return position;
  }

  /** The spec in its canonical text: lower case, without white space. */
  @Override
  public String toString() {
    return text;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PositionSpec spec && spec.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** Both ends included; a relative end counts from P. */
  private record Span(int from, boolean fromRelative, int to, boolean toRelative) {
    boolean contains(int position, int promptLength) {
      return position >= (fromRelative ? from + promptLength : from)
          && position <= (toRelative ? to + promptLength : to);
    }
  }
}
