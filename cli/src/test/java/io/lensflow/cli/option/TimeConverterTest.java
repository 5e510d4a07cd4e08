package io.lensflow.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class TimeConverterTest {
  private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");
  private final TimeConverter times = new TimeConverter(Clock.fixed(NOW, ZoneOffset.UTC));

  @Test
  void shouldReadATimeOrHowLongAgoItWas() {
    assertThat(times.convert("2026-01-31T09:30:00Z")).isEqualTo("2026-01-31T09:30:00Z");
    assertThat(times.convert("2026-01-31T09:30:00+02:00")).isEqualTo("2026-01-31T07:30:00Z");
    assertThat(times.convert("2h")).isEqualTo("2026-01-31T10:00:00Z");
    assertThat(times.convert("90s")).isEqualTo("2026-01-31T11:58:30Z");
  }

  @Test
  void shouldSayWhatATimeLooksLike() {
    assertThatThrownBy(() -> times.convert("yesterday"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("'yesterday'")
        .hasMessageContaining("2h");
  }
}
