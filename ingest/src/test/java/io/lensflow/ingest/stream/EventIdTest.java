package io.lensflow.ingest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.ingest.stream.EventId.Live;
import io.lensflow.ingest.stream.EventId.Place;
import io.lensflow.ingest.stream.EventId.Settled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventIdTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "c0.0-r0.0",
        "c120.2-r77.40",
        "c999999999999999999.999999999-r1.1",
        "c1.1-r1.1-end"
      })
  void shouldReadWhatItWroteWhenAnIdIsLive(String text) {
    assertThat(EventId.parse(text, false)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"s0", "s17", "s17-end"})
  void shouldReadWhatItWroteWhenAnIdIsSettled(String text) {
    assertThat(EventId.parse(text, true)).hasToString(text);
  }

  @Test
  void shouldHoldBothPlacesWhenAnIdIsLive() {
    assertThat(EventId.parse("c120.2-r77.40-end", false))
        .isEqualTo(new Live(new Place(120, 2), new Place(77, 40), true));
    assertThat(EventId.parse("s17", true)).isEqualTo(new Settled(17, false));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "17",
        "s17",
        "c1-r1",
        "c1.1-r1.1-",
        "c-1.0-r0.0",
        "c1.1-r1.1 ",
        "c9999999999999999999.0-r0.0"
      })
  void shouldRefuseWhenAnIdIsNotLive(String text) {
    assertThatThrownBy(() -> EventId.parse(text, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("live stream");
  }

  @Test
  void shouldCoverWhatLiesBeforeWhenAPlaceIsAsked() {
    Place place = new Place(10, 2);

    assertThat(place.covers(9, 1_000_000)).isTrue();
    assertThat(place.covers(10, 1)).isTrue();
    assertThat(place.covers(10, 2)).isTrue();
    assertThat(place.covers(10, 3)).isFalse();
    assertThat(place.covers(11, 1)).isFalse();
    assertThat(Place.START.covers(0, 1)).isFalse();
  }
}
