package io.lensflow.decoder.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.records.Gap;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SequenceTrackerTest {
  private final SequenceTracker tracker = new SequenceTracker();

  @Test
  void shouldFindNothingMissingWhenSequencesRunOn() {
    assertThat(observe("a", 0)).isEmpty();
    assertThat(observe("b", 0)).isEmpty();
    assertThat(observe("a", 1)).isEmpty();
    assertThat(observe("a", 1)).as("the same again").isEmpty();
    assertThat(observe("a", 2)).isEmpty();
  }

  @Test
  void shouldNameSequencesWhenTheyAreMissing() {
    observe("a", 0);

    Gap gap = observe("a", 3).orElseThrow();

    assertThat(gap.getMissingSequences()).containsExactly(1, 2);
    assertThat(gap.getFirstOffset()).isEqualTo(-1);
    assertThat(gap.getReason()).contains("1 … 2");
    assertThat(observe("a", 4)).as("reported once").isEmpty();
  }

  @Test
  void shouldNameOffsetsWhenRetentionTookTheRecords() {
    observe("a", 0);
    tracker.observe(new LedgerEntry.Hole(100, 110));

    Gap gap = observe("a", 2).orElseThrow();

    assertThat(gap.getMissingSequences()).containsExactly(1);
    assertThat(gap.getFirstOffset()).isEqualTo(100);
    assertThat(gap.getLastOffset()).isEqualTo(110);
    assertThat(gap.getReason()).contains("retention");
  }

  @Test
  void shouldTakeAnAttemptAsItIsWhenMetInItsMiddle() {
    assertThat(observe("a", 7)).as("decoded by another instance before").isEmpty();
    tracker.observe(new LedgerEntry.Hole(100, 110));
    assertThat(observe("b", 7)).as("what the hole cost it is found out by its audit").isEmpty();
    assertThat(observe("c", 0)).isEmpty();
  }

  @Test
  void shouldReportAgainWhenTheTransactionWasAborted() {
    observe("a", 0);
    tracker.commit();
    observe("a", 1);
    assertThat(observe("a", 3)).isPresent();

    tracker.abort();

    assertThat(observe("a", 1)).isEmpty();
    assertThat(observe("a", 3)).isPresent();
  }

  @Test
  void shouldNotListAMillionSequences() {
    observe("a", 0);

    Gap gap = observe("a", Integer.MAX_VALUE).orElseThrow();

    assertThat(gap.getMissingSequences()).isEmpty();
    assertThat(gap.getReason()).contains("1 … 2147483646");
  }

  private Optional<Gap> observe(String request, int sequence) {
    return tracker.observe(TestChunks.chunk(request, sequence, 0));
  }
}
