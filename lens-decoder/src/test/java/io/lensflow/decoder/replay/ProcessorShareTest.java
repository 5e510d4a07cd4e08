package io.lensflow.decoder.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessorShareTest {
  private static final long MILLI = 1_000_000;

  private long wall = 5;
  private long spent = 70;
  private final ProcessorShare share = new ProcessorShare(0.25, () -> wall, () -> spent);

  @Test
  void shouldPauseUntilTheShareIsKept() {
    pass(100, 100);

    // 100 ms may be spent in 400 ms.
    assertThat(share.pauseNanos()).isEqualTo(300 * MILLI);
    pass(200, 0);
    assertThat(share.pauseNanos()).isEqualTo(100 * MILLI);
    pass(100, 0);
    assertThat(share.pauseNanos()).isZero();
  }

  @Test
  void shouldKeepTheShareOverALongRun() {
    for (int i = 0; i < 1_000; i++) {
      pass(30, 50);
      wall += share.pauseNanos();
    }

    double share = (spent - 70.0) / (wall - 5);
    assertThat(share).isBetween(0.2499, 0.2501);
  }

  @Test
  void shouldNotSaveUpMoreThanASecond() {
    pass(Duration.ofHours(1).toMillis(), 0);
    assertThat(share.pauseNanos()).isZero();

    pass(0, 250);
    assertThat(share.pauseNanos()).isZero();
    pass(0, 1);
    assertThat(share.pauseNanos()).isEqualTo(4 * MILLI);
  }

  private void pass(long wallMillis, long spentMillis) {
    wall += wallMillis * MILLI;
    spent += spentMillis * MILLI;
  }
}
