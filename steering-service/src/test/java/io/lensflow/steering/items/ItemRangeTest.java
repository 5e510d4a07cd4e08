package io.lensflow.steering.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.steering.vector.RefusedException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ItemRangeTest {
  @Test
  void shouldResolveRangesAndLists() {
    assertThat(ItemRange.resolve("test", " 7-, 0-2, 1,5", 9)).containsExactly(0, 1, 2, 5, 7, 8);
    assertThat(ItemRange.resolve("test", "all", 3)).containsExactly(0, 1, 2);
    assertThat(ItemRange.format(List.of(0, 1, 2, 5, 7, 8))).isEqualTo("0-2,5,7-8");
    assertThat(ItemRange.format(List.of())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "0-9|there is no item 9; the data set has items 0 … 8",
        "3-1|the range '3-1' runs backwards",
        "-1|'-1' is no range of items; use all, a list such as 0-99,120, or 200-",
        "1,,2|'' is no range of items; use all, a list such as 0-99,120, or 200-"
      })
  void shouldNameFieldAndFixWhenRangeIsWrong(String range, String message) {
    assertThatThrownBy(() -> ItemRange.resolve("train", range, 9))
        .isInstanceOf(RefusedException.class)
        .hasMessage("train: " + message);
  }
}
