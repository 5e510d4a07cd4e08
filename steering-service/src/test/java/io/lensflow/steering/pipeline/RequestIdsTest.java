package io.lensflow.steering.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.schemas.ids.Ids;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RequestIdsTest {
  private static final Instant MADE = Instant.parse("2026-05-04T03:02:01.234Z");

  @Test
  void shouldBeUuids7WithTheTimeOfTheJob() {
    String id = new RequestIds("job", MADE).of("rows", 3, 0);
    assertThat(id).hasSize(36);
    assertThat(Ids.timeOf(id)).contains(MADE);
    assertThat(id.charAt(19)).isIn('8', '9', 'a', 'b');
  }

  @Test
  void shouldBeTheSameWhenMadeAgainAndDifferOtherwise() {
    RequestIds ids = new RequestIds("job", MADE);
    assertThat(new RequestIds("job", MADE).of("rows", 3, 0)).isEqualTo(ids.of("rows", 3, 0));
    Set<String> all = new HashSet<>();
    for (int index = 0; index < 1000; index++) {
      all.add(ids.of("rows", index, 0));
      all.add(ids.of("rows", index, 1));
      all.add(ids.of("other", index, 0));
    }
    all.add(new RequestIds("other", MADE).of("rows", 0, 0));
    assertThat(all).hasSize(3001);
  }
}
