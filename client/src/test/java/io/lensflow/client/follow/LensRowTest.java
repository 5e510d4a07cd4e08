package io.lensflow.client.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.Gap;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.TargetMetrics;
import java.util.List;
import org.junit.jupiter.api.Test;

class LensRowTest {
  @Test
  void shouldTakeAResultApartByLayerThenPosition() {
    List<LensRow> rows = LensRow.of(twoLayersTwoPositions().build());

    assertThat(rows)
        .extracting(LensRow::layer, LensRow::position, LensRow::tokenText, row -> row.top().get(0))
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0, 4, "a", candidate(10)),
            org.assertj.core.groups.Tuple.tuple(0, 5, "b", candidate(11)),
            org.assertj.core.groups.Tuple.tuple(3, 4, "a", candidate(12)),
            org.assertj.core.groups.Tuple.tuple(3, 5, "b", candidate(13)));
    assertThat(rows).extracting(LensRow::entropy).containsExactly(0f, 1f, 2f, 3f);
    assertThat(rows).extracting(LensRow::kl).containsOnlyNulls();
  }

  @Test
  void shouldLeaveOutTheTargetOfARowThatHasNone() {
    LensResult result =
        twoLayersTwoPositions()
            .setTargets(
                TargetMetrics.newBuilder()
                    .setTargetsPerRow(1)
                    .setIds(List.of(7, -1, 7, -1))
                    .setLogits(List.of(1f, Float.NaN, 1f, Float.NaN))
                    .setLogProbabilities(List.of(-1f, Float.NaN, -1f, Float.NaN))
                    .setRanks(List.of(2, 0, 1, 0))
                    .build())
            .build();

    assertThat(LensRow.of(result))
        .extracting(row -> row.targets().stream().map(LensRow.Target::rank).toList())
        .containsExactly(List.of(2), List.of(), List.of(1), List.of());
  }

  @Test
  void shouldTellTextsOfTargetsAndProjectionsOfEachRow() {
    LensResult result =
        twoLayersTwoPositions()
            .setTargets(
                TargetMetrics.newBuilder()
                    .setTargetsPerRow(1)
                    .setIds(List.of(7, 8, 7, 8))
                    .setTexts(List.of("x", "y", "x", "y"))
                    .setLogits(List.of(1f, 2f, 3f, 4f))
                    .setLogProbabilities(List.of(-1f, -2f, -3f, -4f))
                    .setRanks(List.of(1, 2, 3, 4))
                    .build())
            .setProjections(
                List.of(
                    ProjectionMetrics.newBuilder()
                        .setVector("calm@3")
                        .setDots(List.of(1f, 2f, 3f, 4f))
                        .setCosines(List.of(.1f, .2f, .3f, .4f))
                        .build()))
            .build();

    LensRow last = LensRow.of(result).get(3);

    assertThat(last.targets()).containsExactly(new LensRow.Target(8, "y", 4f, -4f, 4));
    assertThat(last.projections()).containsExactly(new LensRow.Projection("calm@3", 4f, .4f));
    assertThat(LensRow.of(twoLayersTwoPositions().build()).get(0).projections()).isEmpty();
  }

  @Test
  void shouldHaveNoRowsWhenTheResultIsAGap() {
    assertThat(LensRow.of(LensResult.newBuilder().setGap(Gap.newBuilder().build()).build()))
        .isEmpty();
  }

  @Test
  void shouldNameTheArrayThatDoesNotFit() {
    LensResult broken = twoLayersTwoPositions().setEntropy(List.of(1f)).build();

    assertThatThrownBy(() -> LensRow.of(broken))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 values in entropy")
        .hasMessageContaining("need 4");
  }

  private static LensRow.Candidate candidate(int id) {
    return new LensRow.Candidate(id, "t" + id, id, 0.5f);
  }

  private static LensResult.Builder twoLayersTwoPositions() {
    return LensResult.newBuilder()
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayers(List.of(0, 3))
        .setPositions(List.of(4, 5))
        .setTokenIds(List.of(1, 2))
        .setTokenTexts(List.of("a", "b"))
        .setTopK(1)
        .setTopIds(List.of(10, 11, 12, 13))
        .setTopTexts(List.of("t10", "t11", "t12", "t13"))
        .setTopLogits(List.of(10f, 11f, 12f, 13f))
        .setTopProbabilities(List.of(.5f, .5f, .5f, .5f))
        .setEntropy(List.of(0f, 1f, 2f, 3f));
  }
}
