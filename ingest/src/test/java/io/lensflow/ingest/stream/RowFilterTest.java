package io.lensflow.ingest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowFilterTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"all | 0 1 2 3 4 5", "'' | 0 1 2 3 4 5", "2 | 2", "0-1,4 | 0 1 4", "3- | 3 4 5"})
  void shouldSelectLayersWhenTheSpecNamesThem(String spec, String expected) {
    var layer = RowFilter.layers(spec == null || spec.isEmpty() ? null : spec);

    assertThat(IntStream.range(0, 6).filter(layer).mapToObj(String::valueOf))
        .containsExactly(expected.split(" "));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "prompt", "1,,2", "", "3-1", "one"})
  void shouldRefuseWhenLayersAreNotPlainNumbers(String spec) {
    assertThatThrownBy(() -> RowFilter.layers(spec)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldReadHookPointsInAnyCaseWhenTheyAreKnown() {
    assertThat(RowFilter.hookPoints("residual_post, MLP-OUTPUT"))
        .containsExactlyInAnyOrder(HookPoint.RESIDUAL_POST, HookPoint.MLP_OUTPUT);
    assertThatThrownBy(() -> RowFilter.hookPoints("nose"))
        .hasMessageContaining("nose")
        .hasMessageContaining("RESIDUAL_POST");
  }
}
