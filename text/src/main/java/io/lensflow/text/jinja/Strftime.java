package io.lensflow.text.jinja;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** {@code datetime.now().strftime(format)} in the C locale. */
final class Strftime {
  private static final Map<Character, String> PATTERNS =
      Map.ofEntries(
          Map.entry('a', "EEE"),
          Map.entry('A', "EEEE"),
          Map.entry('b', "MMM"),
          Map.entry('B', "MMMM"),
          Map.entry('h', "MMM"),
          Map.entry('d', "dd"),
          Map.entry('m', "MM"),
          Map.entry('y', "yy"),
          Map.entry('Y', "yyyy"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('p', "a"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('j', "DDD"),
          Map.entry('f', "SSSSSS"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('T', "HH:mm:ss"),
          Map.entry('R', "HH:mm"),
          Map.entry('D', "MM/dd/yy"),
          Map.entry('x', "MM/dd/yy"),
          Map.entry('X', "HH:mm:ss"));

  private Strftime() {}

  /**
   * The time now, in the clock's zone.
   *
   * @throws JinjaException for a directive that is left out here
   */
  static String now(String format, Clock clock) {
    LocalDateTime now = LocalDateTime.now(clock);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      boolean bare = format.startsWith("-", i + 1);
      i += bare ? 2 : 1;
      char directive = i < format.length() ? format.charAt(i) : ' ';
      out.append(bare ? unpadded(directive, now) : directive(directive, now));
    }
    return out.toString();
  }

  private static String directive(char directive, LocalDateTime now) {
    return switch (directive) {
      case '%' -> "%";
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'e' -> "%2d".formatted(now.getDayOfMonth());
      case 'u' -> Integer.toString(now.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
      // The time has no zone, as Python's now() has none.
      case 'z', 'Z' -> "";
      default -> {
        String pattern = PATTERNS.get(directive);
        if (pattern == null) {
          throw JinjaException.unsupported("the directive '%" + directive + "' of strftime_now");
        }
        yield DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
      }
    };
  }

  /** Such as {@code %-d}: without leading zeros, as the C library of Linux has it. */
  private static String unpadded(char directive, LocalDateTime now) {
    String padded = directive(directive, now).strip();
    if (padded.isEmpty() || !padded.chars().allMatch(Character::isDigit)) {
      throw JinjaException.unsupported("the directive '%-" + directive + "' of strftime_now");
    }
    return Integer.toString(Integer.parseInt(padded));
  }
}
