package io.lensflow.steering.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.build.Balance;
import io.lensflow.steering.build.BuildMethod;
import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.items.ContrastiveItem;
import io.lensflow.steering.items.ItemPair;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rows whose differences are made of a behaviour, the letters' own part, and an item's own. */
class TrainRowsTest {
  private static final Site SITE = new Site(HookPoint.ATTENTION_INPUT, 3);

  /** Token 10 is A, token 11 is B; even items match at A. */
  private static List<ItemPair> pairs(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                new ItemPair(
                    new ContrastiveItem(i, i + 1, "Q", " (A)", " (B)"),
                    new int[] {1, i % 2 == 0 ? 10 : 11},
                    new int[] {1, i % 2 == 0 ? 11 : 10},
                    1))
        .toList();
  }

  private static TrainRows rows(int count, float own) {
    TrainRows rows =
        new TrainRows(
            pairs(count), List.of(SITE), BuildMethod.MEAN_DIFFERENCE, Balance.LABEL, 3, true, 7);
    for (int item = 0; item < count; item++) {
      // Behaviour 4 along the first axis, letters ±100 along the second.
      float[] matching = {4, item % 2 == 0 ? 100 : -100, own * (item - count / 2)};
      rows.take(item, Map.of(SITE, matching), Map.of(SITE, new float[3]));
    }
    return rows;
  }

  @Test
  void shouldFindTheBehaviourAndTellItFromThePlainMean() {
    TrainRows rows = rows(20, 0);
    assertThat(rows.vectors())
        .singleElement()
        .extracting(BuiltSite::vector)
        .isEqualTo(new double[] {4, 0, 0});
    assertThat(rows.plain(SITE).orElseThrow().norm()).isCloseTo(4, within(1e-9));
    assertThat(rows.skippedForBalance()).isZero();
    assertThat(rows(21, 0).plain(SITE).orElseThrow().labelShare()).isGreaterThan(0.7);
  }

  @Test
  void shouldLeaveNothingOfWhatAllItemsShareWhenLabelsAreShuffled() {
    assertThat(rows(20, 0).shuffled(SITE)).isEmpty();
    assertThat(rows(22, 0).shuffled(SITE)).as("an odd number of each order").isEmpty();
    double[] own = rows(20, 1).shuffled(SITE).orElseThrow().vector();
    assertThat(own[0]).isCloseTo(0, within(1e-9));
    assertThat(own[1]).isCloseTo(0, within(1e-9));
    assertThat(own[2]).isNotZero();
  }
}
