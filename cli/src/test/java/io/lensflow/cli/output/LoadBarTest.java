package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class LoadBarTest {
  private static final long TOTAL = 2_500_000_000L;
  private static final String BLANK = "\r" + " ".repeat(39) + "\r";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long nanos;

  private LoadBar bar(OptionalInt columns) {
    return new LoadBar(out, columns, "loading", () -> nanos);
  }

  private void at(LoadBar bar, double seconds, double share) {
    nanos = (long) (seconds * 1e9);
    bar.read((long) (share * TOTAL), TOTAL);
  }

  private String written() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void shouldComeAndGoWhenALoadTakesItsTime() {
    LoadBar bar = bar(OptionalInt.of(40));
    at(bar, 0, 0);
    at(bar, 0.4, 0.1);
    assertThat(written()).isEmpty();
    at(bar, 0.6, 0.25);
    at(bar, 0.65, 0.3);
    assertThat(written()).isEqualTo("\rloading [###..........]  25 % of 2.5 GB");

    at(bar, 1, 1);
    at(bar, 2, 0.5);

    assertThat(written()).endsWith("GB" + BLANK);
  }

  @Test
  void shouldMakeRoomWhenALineIsSaid() {
    LoadBar bar = bar(OptionalInt.of(40));
    at(bar, 0, 0);
    at(bar, 1, 0.5);
    bar.say("steering service");
    at(bar, 2, 0.5);

    assertThat(written())
        .contains(BLANK + "steering service" + System.lineSeparator() + "\rloading [");
  }

  @Test
  void shouldSayALineNowAndThenWhenThereIsNoTerminal() {
    LoadBar bar = bar(OptionalInt.empty());
    at(bar, 0, 0);
    at(bar, 4, 0.3);
    at(bar, 6, 0.42);
    at(bar, 7, 0.5);
    at(bar, 8, 1);

    assertThat(written().lines()).containsExactly("loading: 42 % of 2.5 GB");
  }
}
