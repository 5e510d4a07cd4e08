package io.lensflow.schemas.ids;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdsTest {
  @Test
  void shouldSortByTimeWhenMadeOneAfterAnother() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      ids.add(Ids.newId());
    }

    assertThat(ids).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void shouldTellItsTimeWhenItIsAnIdOfOurs() {
    assertThat(Ids.timeOf(Ids.newId()).orElseThrow())
        .isCloseTo(Instant.now(), within(5, ChronoUnit.SECONDS));
    assertThat(Ids.timeOf("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))
        .contains(Instant.parse("2022-02-22T19:22:22Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "8d4a1f0e-4b1b-4e58-9b6e-3f3a3f0a8d11",
        "not-a-uuid-but-36-characters-long---x"
      })
  void shouldTellNoTimeWhenItIsNone(String text) {
    assertThat(Ids.timeOf(text)).isEmpty();
  }

  @Test
  void shouldAgreeWithTheProducersPartitionerWhenAKeyIsPlaced() {
    for (int i = 0; i < 1000; i++) {
      String key = "ключ-" + Ids.newId();
      byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
      assertThat(Partitions.of(key, 12)).isEqualTo(BuiltInPartitioner.partitionForKey(bytes, 12));
    }
  }
}
