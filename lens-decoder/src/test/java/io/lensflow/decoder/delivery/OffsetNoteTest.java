package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class OffsetNoteTest {
  private static final long HOUR = OffsetNote.REQUEST_TIME.toMillis();

  @Test
  void shouldKnowAHoleAndWhenItsRequestsRanWhenItMeetsOne() {
    OffsetNote note =
        OffsetNote.NONE
            .after(new LedgerEntry.Skipped(4, 5 * HOUR))
            .after(new LedgerEntry.Hole(5, 9));

    assertThat(note.hole()).contains(new OffsetNote.OpenHole(5, 9, 4 * HOUR));
  }

  @Test
  void shouldLookAtEverythingWhenNoTimeIsKnown() {
    assertThat(OffsetNote.NONE.after(new LedgerEntry.Hole(5, 9)).hole())
        .contains(new OffsetNote.OpenHole(5, 9, -1));
  }

  @Test
  void shouldJoinHolesWhenThereAreSeveral() {
    OffsetNote note =
        new OffsetNote(5 * HOUR, Optional.empty())
            .after(new LedgerEntry.Hole(5, 9))
            .after(new LedgerEntry.Skipped(10, 6 * HOUR))
            .after(new LedgerEntry.Hole(11, 12));

    assertThat(note.hole()).contains(new OffsetNote.OpenHole(5, 12, 4 * HOUR));
    assertThat(note.closed()).isEqualTo(new OffsetNote(6 * HOUR, Optional.empty()));
  }

  @Test
  void shouldReadBackWhatItWrites() {
    OffsetNote time = new OffsetNote(1_690_000_000_000L, Optional.empty());
    OffsetNote hole = new OffsetNote(17, Optional.of(new OffsetNote.OpenHole(5, 9, -1)));

    assertThat(OffsetNote.decode(time.encode())).isEqualTo(time);
    assertThat(OffsetNote.decode(hole.encode())).isEqualTo(hole);
    assertThat(OffsetNote.decode(OffsetNote.NONE.encode())).isEqualTo(OffsetNote.NONE);
  }

  @Test
  void shouldKnowNothingWhenSomebodyElseCommitted() {
    assertThat(OffsetNote.decode("")).isEqualTo(OffsetNote.NONE);
    assertThat(OffsetNote.decode("reset by hand")).isEqualTo(OffsetNote.NONE);
  }
}
