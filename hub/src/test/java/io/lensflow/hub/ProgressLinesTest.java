package io.lensflow.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressLinesTest {
  private static final ModelId MODEL = ModelId.parse("org/tiny");

  private final List<String> lines = new ArrayList<>();
  private long nanos;
  private final ProgressLines progress =
      new ProgressLines(lines::add, Duration.ofSeconds(10), () -> nanos);

  private void at(double seconds, int filesDone, long done, long received) {
    nanos = (long) (seconds * 1e9);
    progress.update(new DownloadProgress.Status(MODEL, 2, filesDone, 100_000_000, done, received));
  }

  @Test
  void shouldSayALineNowAndThen() {
    at(0, 0, 20_000_000, 0);
    at(5, 0, 25_000_000, 5_000_000);
    at(9.9, 0, 29_900_000, 9_900_000);
    at(10, 1, 30_000_000, 10_000_000);
    at(12, 1, 32_000_000, 12_000_000);
    at(50, 2, 100_000_000, 80_000_000);

    assertThat(lines)
        .containsExactly(
            "fetching org/tiny: 2 files, 100 MB",
            "fetching org/tiny: 30 MB of 100 MB (30 %), 1 of 2 files, 1.0 MB/s, 1:10 left",
            "fetched org/tiny: 100 MB");
  }

  @Test
  void shouldReckonByWhatComesOverTheNetwork() {
    DownloadPace pace = new DownloadPace(() -> nanos);
    pace.update(new DownloadProgress.Status(MODEL, 1, 0, 1000, 0, 0));
    assertThat(pace.text()).isEmpty();
    nanos = 1_000_000_000;
    pace.update(new DownloadProgress.Status(MODEL, 1, 0, 1000, 900, 50));

    assertThat(pace.bytesPerSecond()).isEqualTo(50);
    assertThat(pace.remaining()).contains(Duration.ofSeconds(2));
  }

  @Test
  void shouldForgetAFastBeginning() {
    DownloadPace pace = new DownloadPace(() -> nanos);
    pace.update(new DownloadProgress.Status(MODEL, 1, 0, 1_000_000, 0, 0));
    for (int second = 1; second <= 30; second++) {
      nanos = second * 1_000_000_000L;
      long received = 100_000 + second * 10L;
      pace.update(new DownloadProgress.Status(MODEL, 1, 0, 1_000_000, received, received));
    }

    assertThat(pace.bytesPerSecond()).isEqualTo(10);
  }

  @Test
  void shouldWriteBytesAsPeopleReadThem() {
    assertThat(List.of(0.0, 999.0, 1000.0, 12_345.0, 999_600.0, 2.5e9, 2.69e8))
        .extracting(Bytes::text)
        .containsExactly("0 B", "999 B", "1.0 kB", "12 kB", "1.0 MB", "2.5 GB", "269 MB");
  }
}
