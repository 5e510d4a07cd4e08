package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PublishToUseTest {
  @Test
  void shouldTakeTheSampleThatTheShareDoesNotExceed() {
    List<Double> samples = IntStream.rangeClosed(1, 200).mapToObj(i -> 201.0 - i).toList();
    assertThat(PublishToUse.percentile(samples, 0.5)).isEqualTo(100);
    assertThat(PublishToUse.percentile(samples, 0.99)).isEqualTo(198);
    assertThat(PublishToUse.percentile(samples, 1)).isEqualTo(200);
    assertThat(PublishToUse.percentile(List.of(7.0), 0.5)).isEqualTo(7);
  }
}
