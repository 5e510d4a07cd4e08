package io.lensflow.worker.lag;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DecoderLagTest {
  @Test
  void shouldHoldUpOnlyThePartitionsThatAreBehind() {
    DecoderLag lag = DecoderLag.UNKNOWN.next(new double[] {0.89, 0.9, 1.05});

    assertThat(lag.isBehind(0)).isFalse();
    assertThat(lag.isBehind(1)).isTrue();
    assertThat(lag.isBehind(2)).isTrue();
    assertThat(lag.behindCount()).isEqualTo(2);
    assertThat(lag.worst()).isEqualTo(1.05);
  }

  @Test
  void shouldLetGoAgainOnlyWhenTheDecoderHasCaughtUpALittle() {
    DecoderLag behind = DecoderLag.UNKNOWN.next(new double[] {0.95});

    assertThat(behind.next(new double[] {0.85}).isBehind(0)).isTrue();
    assertThat(behind.next(new double[] {0.79}).isBehind(0)).isFalse();
    assertThat(DecoderLag.UNKNOWN.next(new double[] {0.85}).isBehind(0)).isFalse();
  }

  @Test
  void shouldHoldNobodyUpWhenNobodyDecodes() {
    DecoderLag lag = DecoderLag.UNKNOWN.next(new double[] {1}).next(new double[0]);

    assertThat(lag.isBehind(0)).isFalse();
    assertThat(lag.worst()).isNaN();
  }

  @Test
  void shouldCountWhatIsKeptAndNotRead() {
    assertThat(LagReader.unread(100, 150, 200)).isEqualTo(0.5, within(1e-9));
    assertThat(LagReader.unread(100, 200, 200)).isZero();
    assertThat(LagReader.unread(0, 0, 0)).as("an empty log").isZero();
    assertThat(LagReader.unread(100, 40, 200)).as("some of it is lost already").isEqualTo(1);
  }
}
