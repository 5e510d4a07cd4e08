package io.lensflow.text.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PositionSpecTest {
  /** Prompt of 4 tokens, sequence of 7. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "all         | 0 1 2 3 4 5 6",
        "prompt      | 0 1 2 3",
        "last_prompt | 3",
        "from_label  | 3 4 5 6",
        "generated   | 4 5 6",
        "0,2,-1      | 0 2 3",
        "-4          | 0",
        "1-          | 1 2 3 4 5 6",
        "1-2, 5      | 1 2 5",
        "9           | ''",
      })
  void shouldSelectAbsolutePositionsWhenSpecIsValid(String spec, String expected) {
    PositionSpec positions = PositionSpec.parse(spec);
    assertThat(
            IntStream.range(0, 7)
                .filter(p -> positions.selects(p, 4))
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(" ")))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "last", "3-1", "1,,2", "--1", "99999999999"})
  void shouldSayWhatIsValidWhenSpecIsNot(String spec) {
    assertThatThrownBy(() -> PositionSpec.parse(spec))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("positions '" + spec + "'");
  }
}
