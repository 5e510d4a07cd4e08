package io.lensflow.text.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerSpecTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "all      | 0 1 2 3 4 5 6 7",
        "0-3,-1   | 0 1 2 3 7",
        "5-       | 5 6 7",
        "-1       | 7",
        "-8       | 0",
        "3, 1, 3  | 1 3",
        "ALL      | 0 1 2 3 4 5 6 7",
        "2-2      | 2",
      })
  void shouldResolveWhenSpecIsValid(String spec, String expected) {
    assertThat(LayerSpec.resolve(spec, 8).stream().map(String::valueOf).toList())
        .containsExactly(expected.split(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "8     | layers 0 … 7",
        "-9    | layers 0 … 7",
        "0-8   | layers 0 … 7",
        "3-1   | runs backwards",
        "''    | is not a layer",
        "1,,2  | is not a layer",
        "first | is not a layer",
        "0.5   | is not a layer",
      })
  void shouldSayWhatIsValidWhenSpecIsNot(String spec, String message) {
    assertThatThrownBy(() -> LayerSpec.resolve(spec, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void shouldReadMinusOneAsLastLayerWhateverTheDepth() {
    assertThat(LayerSpec.resolve("-1", 1)).containsExactly(0);
    assertThat(LayerSpec.resolve("-1", 80)).containsExactly(79);
  }
}
