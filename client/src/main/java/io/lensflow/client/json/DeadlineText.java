package io.lensflow.client.json;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Deadlines as people write them. */
final class DeadlineText {
  private static final Pattern SHORT = Pattern.compile("(\\d{1,9})\\s*(ms|s|m|h|d)");

  private DeadlineText() {}

  /**
   * Reads a time ({@code 2026-11-23T12:00:00Z}, offsets allowed) or a duration from now ({@code
   * PT5M}, {@code 500ms}, {@code 30s}, {@code 5m}, {@code 2h}, {@code 1d}).
   *
   * @throws InvalidRequestException if it is neither, or not in the future
   */
  static Instant parse(String text, String path, Instant now) {
    Instant deadline;
    try {
      Matcher matcher = SHORT.matcher(text.strip().toLowerCase(Locale.ROOT));
      if (matcher.matches()) {
        deadline = now.plus(duration(Long.parseLong(matcher.group(1)), matcher.group(2)));
      } else if (text.startsWith("P") || text.startsWith("p")) {
        deadline = now.plus(Duration.parse(text));
      } else {
        deadline = OffsetDateTime.parse(text).toInstant();
      }
    } catch (DateTimeException | ArithmeticException e) {
      throw new InvalidRequestException(
          path,
          "%s '%s' is neither a time such as 2026-11-23T12:00:00Z nor a duration such as 30s or PT5M"
              .formatted(path, text));
    }
    if (!deadline.isAfter(now)) {
      throw new InvalidRequestException(
          path, "%s '%s' has passed; it must lie in the future".formatted(path, text));
    }
    return deadline;
  }

  private static Duration duration(long amount, String unit) {
    return switch (unit) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      case "h" -> Duration.ofHours(amount);
      default -> Duration.ofDays(amount);
    };
  }
}
