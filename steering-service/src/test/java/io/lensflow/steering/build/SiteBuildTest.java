package io.lensflow.steering.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.RefusedException;
import org.junit.jupiter.api.Test;

class SiteBuildTest {
  private static final Site SITE = new Site(HookPoint.ATTENTION_INPUT, 3);
  private static final LabelOrder AB = new LabelOrder(10, 11);
  private static final LabelOrder BA = AB.reversed();

  private static SiteBuild of(BuildMethod method, Balance balance) {
    return new SiteBuild(SITE, method, balance, 2);
  }

  /** Rows whose difference is (x, y). */
  private static void add(SiteBuild build, int index, LabelOrder order, float x, float y) {
    build.add(index, order, new float[] {5 + x, 7 + y}, new float[] {5, 7});
  }

  @Test
  void shouldWeighBothOrdersTheSameWhenBalancedByLabel() {
    SiteBuild build = of(BuildMethod.MEAN_DIFFERENCE, Balance.LABEL);
    add(build, 0, AB, 10, 1);
    add(build, 1, AB, 12, 1);
    add(build, 2, AB, 11, 4);
    add(build, 3, BA, -9, 2);
    BuiltSite built = build.build().orElseThrow();
    // mean of AB is (11, 2), of BA (-9, 2); half their difference is (10, 0)
    assertThat(built.vector()).containsExactly(1, 2);
    assertThat(built.norm()).isCloseTo(Math.sqrt(5), within(1e-12));
    assertThat(built.labelShare()).isCloseTo(1 / Math.sqrt(5), within(1e-12));
  }

  @Test
  void shouldTakeThePlainMeanWhenNotBalanced() {
    SiteBuild build = of(BuildMethod.MEAN_DIFFERENCE, Balance.NONE);
    add(build, 0, AB, 10, 1);
    add(build, 1, AB, 12, 3);
    add(build, 2, BA, -10, 2);
    BuiltSite built = build.build().orElseThrow();
    assertThat(built.vector()).containsExactly(new double[] {4, 2}, within(1e-12));
    // mean of AB (11, 2), of BA (-10, 2): the label direction is (10.5, 0)
    assertThat(built.labelShare()).isCloseTo(4 / Math.sqrt(20), within(1e-12));
  }

  @Test
  void shouldLeaveOutOrdersWithoutTheirReverse() {
    SiteBuild build = of(BuildMethod.MEAN_DIFFERENCE, Balance.LABEL);
    add(build, 0, AB, 3, 1);
    add(build, 1, BA, -1, 1);
    add(build, 2, new LabelOrder(10, 12), 100, 100);
    assertThat(build.build().orElseThrow().vector()).containsExactly(1, 1);
    assertThat(build.uses(AB)).isTrue();
    assertThat(build.uses(new LabelOrder(10, 12))).isFalse();
  }

  @Test
  void shouldNotKnowTheLabelShareWhenThereIsOneOrderOnly() {
    SiteBuild build = of(BuildMethod.MEAN_DIFFERENCE, Balance.NONE);
    add(build, 0, AB, 3, 1);
    assertThat(build.build().orElseThrow().labelShare()).isNull();
    SiteBuild balanced = of(BuildMethod.MEAN_DIFFERENCE, Balance.LABEL);
    add(balanced, 0, AB, 3, 1);
    assertThatThrownBy(balanced::build)
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("reverse");
  }

  @Test
  void shouldFindTheLongestDirectionAroundTheBalancedMean() {
    SiteBuild build = of(BuildMethod.PCA, Balance.LABEL);
    add(build, 0, AB, 10, 4);
    add(build, 1, AB, 10, -2);
    add(build, 2, BA, -8, 3);
    add(build, 3, BA, -8, -1);
    // means (10, 1) and (-8, 1), v0 = (1, 1); d' = (1, 4), (1, -2), (1, 3), (1, -1):
    // d'ᵀd' = [4, 4; 4, 30], whose largest eigenvalue is 17 + sqrt(185)
    double eigenvalue = 17 + Math.sqrt(185);
    double x = 4;
    double y = eigenvalue - 4;
    double scale = Math.sqrt(2) / Math.hypot(x, y);
    BuiltSite built = build.build().orElseThrow();
    assertThat(built.vector()).containsExactly(new double[] {x * scale, y * scale}, within(1e-12));
    assertThat(built.norm()).isCloseTo(Math.sqrt(2), within(1e-12));
  }

  @Test
  void shouldTurnThePrincipalDirectionToTheMeansSide() {
    SiteBuild build = of(BuildMethod.PCA, Balance.LABEL);
    add(build, 0, AB, -1, -4);
    add(build, 1, BA, -1, -4);
    assertThat(build.build().orElseThrow().vector())
        .containsExactly(new double[] {-1, -4}, within(1e-12));
  }

  @Test
  void shouldPointFromOtherToMatchingWhenLogistic() {
    SiteBuild build = of(BuildMethod.LOGISTIC, Balance.LABEL);
    add(build, 0, AB, 2, 0.5f);
    add(build, 1, AB, 2, -0.5f);
    add(build, 2, BA, 2, 0.5f);
    add(build, 3, BA, 2, -0.5f);
    BuiltSite built = build.build().orElseThrow();
    // symmetric in y, so that only x separates; as long as the mean difference, (2, 0)
    assertThat(built.vector()).containsExactly(new double[] {2, 0}, within(1e-9));
  }

  @Test
  void shouldMakeNothingWhenOnlyTheLettersDiffer() {
    SiteBuild build = of(BuildMethod.MEAN_DIFFERENCE, Balance.LABEL);
    add(build, 0, AB, 3, 1);
    add(build, 1, BA, -3, -1);
    assertThat(build.build()).isEmpty();
    SiteBuild nearly = of(BuildMethod.PCA, Balance.LABEL);
    add(nearly, 0, AB, 3, 1);
    add(nearly, 1, BA, -3.000001f, -1);
    assertThat(nearly.build()).isEmpty();
    SiteBuild same = of(BuildMethod.MEAN_DIFFERENCE, Balance.NONE);
    add(same, 0, AB, 0, 0);
    assertThat(same.build()).isEmpty();
  }

  @Test
  void shouldRefuseAVectorThatIsNotFinite() {
    SiteBuild infinite = of(BuildMethod.MEAN_DIFFERENCE, Balance.LABEL);
    add(infinite, 0, AB, Float.POSITIVE_INFINITY, 0);
    add(infinite, 1, BA, 1, 0);
    assertThatThrownBy(infinite::build)
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("ATTENTION_INPUT of layer 3 is not finite");
  }
}
