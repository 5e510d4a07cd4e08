package io.lensflow.steering.algebra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.util.List;
import org.junit.jupiter.api.Test;

class VectorAlgebraTest {
  private static SiteDraft site(int layer, float... values) {
    return new SiteDraft("", layer, HookPoint.RESIDUAL_POST, values);
  }

  private static Operand operand(double weight, SiteDraft... sites) {
    return new Operand("v@1", weight, List.of(sites));
  }

  @Test
  void shouldAddUpWithWeightsAtEverySiteThatAnyHas() {
    List<SiteDraft> sum =
        VectorAlgebra.weightedSum(
            List.of(
                operand(2, site(1, 1, 2), site(3, 5, 0)),
                operand(-0.5, site(1, 4, 0), site(2, 0, 8))));
    assertThat(sum).extracting(SiteDraft::layer).containsExactly(1, 3, 2);
    assertThat(sum.get(0).values()).containsExactly(0, 4);
    assertThat(sum.get(1).values()).containsExactly(10, 0);
    assertThat(sum.get(2).values()).containsExactly(0, -4);
  }

  @Test
  void shouldLeaveNothingInTheSpanOfTheOthersWhenTheyAreNotOrthogonalToEachOther() {
    List<SiteDraft> rest =
        VectorAlgebra.orthogonal(
            List.of(site(1, 3, 4, 5), site(2, 1, 1, 1)),
            List.of(operand(1, site(1, 1, 0, 0)), operand(7, site(1, 1, 1, 0))));
    assertThat(rest.get(0).values()).containsExactly(0, 0, 5);
    assertThat(rest.get(1).values()).containsExactly(1, 1, 1);
  }

  @Test
  void shouldRefuseWhenNothingIsLeftOrNoSiteIsShared() {
    assertThatThrownBy(
            () ->
                VectorAlgebra.orthogonal(
                    List.of(site(1, 0.1f, 0.3f)), List.of(operand(1, site(1, 1, 3)))))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("nothing is left at RESIDUAL_POST of layer 1");
    assertThatThrownBy(
            () ->
                VectorAlgebra.orthogonal(
                    List.of(site(1, 1, 3)), List.of(operand(1, site(2, 1, 3)))))
        .hasMessageContaining("no site");
    assertThatThrownBy(
            () ->
                VectorAlgebra.weightedSum(
                    List.of(operand(1, site(1, 1)), operand(1, site(1, 1, 2)))))
        .hasMessageContaining("v@1 has 2 values");
  }

  @Test
  void shouldGiveCosinesAndDistances() {
    assertThat(VectorAlgebra.cosine(new float[] {3, 4}, new float[] {4, 3}))
        .isCloseTo(24.0 / 25, within(1e-12));
    assertThat(VectorAlgebra.cosine(new float[] {1e-20f, 0}, new float[] {-1e20f, 0}))
        .isEqualTo(-1);
    assertThat(VectorAlgebra.distance(new float[] {1, 1}, new float[] {4, 5})).isEqualTo(5);
  }
}
