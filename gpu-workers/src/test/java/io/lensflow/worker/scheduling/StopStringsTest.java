package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  /** Offers each piece; returns what left, each piece in brackets. */
  private static String emitted(StopStrings stops, String... pieces) {
    StringBuilder out = new StringBuilder();
    for (String piece : pieces) {
      StopStrings.Passed passed = stops.offer(piece);
      out.append('[').append(passed.text()).append(']');
      if (passed.stop() != null) {
        return out.append('!').append(passed.stop()).toString();
      }
    }
    return out.append(stops.finish()).toString();
  }

  @Test
  void shouldLetTextPassWhenThereAreNoStopStrings() {
    assertThat(emitted(new StopStrings(List.of()), "a", "", "bc")).isEqualTo("[a][][bc]");
  }

  @Test
  void shouldHoldBackTheBeginningOfAStopStringWhenItMayFollow() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertThat(emitted(stops, "a E", "N", "D tail")).isEqualTo("[a ][][]!END");
  }

  @Test
  void shouldGiveHeldTextBackWhenItWasNoStopString() {
    assertThat(emitted(new StopStrings(List.of("END")), "E", "N", "X", "E"))
        .isEqualTo("[][][ENX][]E");
  }

  @Test
  void shouldFindTheEarliestWhenSeveralStopStringsAreThere() {
    assertThat(emitted(new StopStrings(List.of("later", "lat")), "so late")).isEqualTo("[so ]!lat");
    assertThat(emitted(new StopStrings(List.of("b", "ab")), "xab")).isEqualTo("[x]!ab");
  }

  @Test
  void shouldHoldTheLongestBeginningWhenOneOverlapsItself() {
    assertThat(emitted(new StopStrings(List.of("aab")), "aa", "a", "b")).isEqualTo("[][a][]!aab");
  }
}
