package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class GateTest {
  private static final Duration STAY = Duration.ofSeconds(60);

  private long now = 5;
  private final Gate gate = new Gate(4, STAY, () -> now);

  @Test
  void shouldKeepThreadsForAWhileWhenTheyAreNotWantedAnyMore() {
    gate.wanted(4);
    assertThat(gate.wants(3)).isTrue();
    assertThat(gate.wants(4)).isFalse();

    gate.wanted(7);
    assertThat(gate.wants(6)).isTrue();
    gate.wanted(4);
    now += STAY.toNanos() - 1;
    assertThat(gate.wants(6)).isTrue();
    now++;
    assertThat(gate.wants(6)).isFalse();
    assertThat(gate.wants(4)).isFalse();
    assertThat(gate.wants(3)).isTrue();
  }

  @Test
  void shouldKeepThemFromTheLastTimeWhenTheyAreWantedAgainAndAgain() {
    gate.wanted(4);
    for (int i = 0; i < 5; i++) {
      gate.wanted(7);
      gate.wanted(4);
      now += STAY.toNanos() / 2;
      assertThat(gate.wants(6)).isTrue();
    }
    now += STAY.toNanos() / 2;
    assertThat(gate.wants(6)).isFalse();
  }

  @Test
  void shouldNotKeepAllWhenAFewAreWantedAgainAndAgain() {
    gate.wanted(4);
    gate.wanted(9);
    for (int i = 0; i < 2; i++) {
      gate.wanted(5);
      gate.wanted(4);
      now += STAY.toNanos() / 2;
    }
    assertThat(gate.wants(8)).isFalse();
    assertThat(gate.wants(3)).isTrue();
  }

  @Test
  void shouldLetNobodyStayWhenItIsStopped() {
    gate.wanted(7);
    gate.wanted(4);
    gate.stop();
    assertThat(gate.wants(6)).isFalse();
    assertThat(gate.wants(0)).isFalse();
  }
}
