package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FinishedPrefixTest {
  private final FinishedPrefix prefix = new FinishedPrefix(10);

  @Test
  void shouldStayWhenTheFirstRequestStillRuns() {
    prefix.take(10);
    prefix.take(11);
    prefix.finish(11);

    assertThat(prefix.committable()).isEqualTo(10);
  }

  @Test
  void shouldMoveOverAllThatHasEndedWhenTheFirstEnds() {
    prefix.take(10);
    prefix.take(11);
    prefix.take(14);
    prefix.finish(11);
    prefix.finish(10);

    assertThat(prefix.committable()).isEqualTo(12);
    prefix.finish(14);
    assertThat(prefix.committable()).isEqualTo(15);
  }

  @Test
  void shouldChangeNothingWhenAnUnknownOffsetEnds() {
    prefix.take(10);
    prefix.finish(99);
    prefix.finish(10);
    prefix.finish(10);

    assertThat(prefix.committable()).isEqualTo(11);
  }
}
