package io.lensflow.cli.option;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Points in time as people write them: {@code 2026-01-31T09:30:00Z}, or how long ago: {@code 90s},
 * {@code 30m}, {@code 2h}.
 */
public final class TimeConverter implements ITypeConverter<Instant> {
  private final Clock clock;

  /** Counts back from now. */
  public TimeConverter() {
    this(Clock.systemUTC());
  }

  TimeConverter(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Instant convert(String text) {
    try {
      return OffsetDateTime.parse(text.strip()).toInstant();
    } catch (DateTimeParseException notATime) {
      return clock.instant().minus(ago(text));
    }
  }

  private static Duration ago(String text) {
    try {
      return new DurationConverter().convert(text);
    } catch (TypeConversionException e) {
      throw new TypeConversionException(
          "'" + text + "' is neither a time such as 2026-01-31T09:30:00Z nor one ago such as 2h");
    }
  }
}
