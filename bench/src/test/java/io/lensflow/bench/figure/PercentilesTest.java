package io.lensflow.bench.figure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PercentilesTest {
  @Test
  void shouldTakeTheSampleThatTheShareDoesNotExceed() {
    List<Double> samples = IntStream.rangeClosed(1, 200).mapToObj(i -> 201.0 - i).toList();
    assertThat(Percentiles.of(samples).at(0.5)).isEqualTo(100);
    assertThat(Percentiles.of(samples).at(0.99)).isEqualTo(198);
    assertThat(Percentiles.of(samples).at(1)).isEqualTo(200);
    assertThat(Percentiles.of(List.of(7.0)).at(0.5)).isEqualTo(7);
    assertThat(Percentiles.of(new double[] {3, 1, 2}).at(0.5)).isEqualTo(2);
  }

  @Test
  void shouldSayThatThereIsNoneWhenThereAreNoSamples() {
    assertThat(Percentiles.of(List.of()).at(0.5)).isNaN();
  }

  @Test
  void shouldRefuseWhatIsNoShare() {
    assertThatThrownBy(() -> Percentiles.of(List.of(1.0)).at(99)).hasMessageContaining("at most 1");
  }
}
