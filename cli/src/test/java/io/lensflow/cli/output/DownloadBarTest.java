package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.hub.DownloadProgress;
import io.lensflow.hub.ModelId;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DownloadBarTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private long nanos;

  private DownloadBar bar(int columns) {
    return new DownloadBar(out, columns, () -> nanos);
  }

  private void at(DownloadBar bar, double seconds, int filesDone, long done) {
    nanos = (long) (seconds * 1e9);
    bar.update(
        new DownloadProgress.Status(
            ModelId.parse("org/tiny"), 2, filesDone, 200_000_000, done, done));
  }

  private List<String> drawn() {
    return List.of(bytes.toString(StandardCharsets.UTF_8).substring(1).split("\r"));
  }

  @Test
  void shouldDrawShareRateAndRemainingTimeOverAndOver() {
    DownloadBar bar = bar(70);
    at(bar, 0, 0, 0);
    at(bar, 0.05, 0, 1_000_000);
    at(bar, 2, 1, 50_000_000);
    at(bar, 4, 2, 200_000_000);

    assertThat(drawn())
        .extracting(String::strip)
        .containsExactly(
            "tiny [.......................]   0 % of 200 MB",
            "tiny [#####..................]  25 % of 200 MB, 25 MB/s, 0:06 left",
            "tiny [#######################] 100 % of 200 MB");
    assertThat(bytes.toString(StandardCharsets.UTF_8)).endsWith(System.lineSeparator());
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 40, 60, 80, 200})
  void shouldNeverBeWiderThanTheTerminal(int columns) {
    DownloadBar bar = bar(columns);
    at(bar, 0, 0, 0);
    at(bar, 2, 0, 50_000_000);

    assertThat(drawn()).allMatch(line -> line.length() == columns - 1);
  }

  @Test
  void shouldEndTheLineOnceWhenADownloadFails() {
    DownloadBar bar = bar(70);
    at(bar, 0, 0, 0);
    bar.close();
    bar.close();
    at(bar, 9, 2, 200_000_000);

    assertThat(bytes.toString(StandardCharsets.UTF_8).lines()).hasSize(2); // "" before \r, the bar
  }

  @Test
  void shouldDrawNothingWhenNothingIsFetched() {
    bar(70).close();

    assertThat(bytes.size()).isZero();
  }
}
