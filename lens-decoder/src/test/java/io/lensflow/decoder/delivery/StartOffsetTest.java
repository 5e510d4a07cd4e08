package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StartOffsetTest {
  @Test
  void shouldStartAtTheBeginningWhenGroupIsNew() {
    StartOffset start = StartOffset.of(null, 17, 40);

    assertThat(start.offset()).isEqualTo(17);
    assertThat(start.hole()).as("nothing was promised of what came before").isEmpty();
  }

  @Test
  void shouldGoOnWhereTheGroupStopped() {
    assertThat(StartOffset.of(20L, 17, 40).offset()).isEqualTo(20);
    assertThat(StartOffset.of(40L, 17, 40).offset()).isEqualTo(40);
    assertThat(StartOffset.of(17L, 17, 40).hole()).isEmpty();
  }

  @Test
  void shouldNoticeHoleWhenRecordsWereDeleted() {
    StartOffset start = StartOffset.of(12L, 17, 40);

    assertThat(start.offset()).isEqualTo(17);
    assertThat(start.hole()).contains(new LedgerEntry.Hole(12, 16));
    assertThat(start.log()).contains("12 … 16");
  }

  @Test
  void shouldStartOverWhenTopicWasMadeAnew() {
    StartOffset start = StartOffset.of(500L, 0, 3);

    assertThat(start.offset()).isZero();
    assertThat(start.hole()).isEmpty();
    assertThat(start.log()).contains("made anew");
  }
}
