package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class CountBarTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long now;

  @Test
  void shouldDrawShareAndRateOnATerminal() {
    CountBar bar = new CountBar(out, OptionalInt.of(80), () -> now);
    bar.update("reading", 0, 2_000, "rows");
    now = Duration.ofSeconds(2).toNanos();
    bar.update("reading", 500, 2_000, "rows");

    assertThat(text()).startsWith("\rreading [##").contains(" 25 % of 2,000 rows, 250/s");
    assertThat(text()).doesNotContain("\n");
    bar.say("solving");
    assertThat(text()).endsWith("\rsolving" + System.lineSeparator());
  }

  @Test
  void shouldPrintALineNowAndThenElsewhere() {
    CountBar bar = new CountBar(out, OptionalInt.empty(), () -> now);
    for (int second = 0; second <= 12; second++) {
      now = Duration.ofSeconds(second).toNanos();
      bar.update("reading", second * 100L, 2_000, "rows");
    }
    bar.update("reading", 2_000, 2_000, "rows");

    assertThat(text().lines())
        .containsExactly(
            "reading: 25 % of 2,000 rows, 100/s",
            "reading: 50 % of 2,000 rows, 100/s", "reading: 100 % of 2,000 rows, 167/s");
  }

  @Test
  void shouldSayHowLongTheRestWillTakeAtThePaceSinceItBegan() {
    CountBar bar = CountBar.withTimeLeft(out, OptionalInt.empty(), () -> now);
    bar.update("building", 40, 100, "items");
    now = Duration.ofSeconds(6).toNanos();
    bar.update("building", 40, 100, "items");
    now = Duration.ofSeconds(12).toNanos();
    bar.update("building", 46, 100, "items");
    now = Duration.ofSeconds(24).toNanos();
    bar.update("building", 100, 100, "items");

    assertThat(text().lines())
        .containsExactly(
            "building: 40 % of 100 items, waiting",
            "building: 46 % of 100 items, 0.5/s, 1:48 min left",
            "building: 100 % of 100 items, 2.5/s");
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
