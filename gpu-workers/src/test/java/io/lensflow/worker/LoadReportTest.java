package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadReportTest {
  private final List<String> lines = new ArrayList<>();
  private long nanos;
  private final LoadReport report = new LoadReport(lines::add, () -> nanos);

  private void at(double seconds, int percent) {
    nanos = (long) (seconds * 1e9);
    report.read(percent * 10_000_000L, 1_000_000_000L);
  }

  @Test
  void shouldSayALineForEveryTenthAndEveryFiveSeconds() {
    report.begin();
    at(0.1, 11);
    at(1.1, 12);
    at(1.2, 25);
    at(2.3, 26);
    at(7.2, 26);
    at(7.4, 27);

    assertThat(lines)
        .containsExactly(
            "reading weights: 12 % of 1.0 GB read",
            "reading weights: 26 % of 1.0 GB read", "reading weights: 27 % of 1.0 GB read");
    assertThat(report.state()).isEqualTo("27 % of 1.0 GB read");
  }

  @Test
  void shouldSayOnceThatItIsDoneWhenRanksReadWhatOthersHaveReadToo() {
    report.begin();
    at(0.1, 50);
    at(0.4, 100);
    at(0.5, 100);

    assertThat(lines).containsExactly("weights read: 1.0 GB in 0.4 s");
    report.end();
    assertThat(report.state()).isEmpty();
  }

  @Test
  void shouldBeginAnewWhenTheCheckpointIsLoadedAgain() {
    report.begin();
    at(0.1, 100);
    report.begin();
    assertThat(report.state()).isEmpty();
    at(1.2, 30);
    at(1.6, 100);

    assertThat(lines).hasSize(3).last().isEqualTo("weights read: 1.0 GB in 1.5 s");
  }
}
