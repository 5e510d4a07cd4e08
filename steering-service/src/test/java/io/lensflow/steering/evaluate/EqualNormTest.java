package io.lensflow.steering.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.HookPoint;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.SiteDraft;
import java.util.List;
import org.junit.jupiter.api.Test;

class EqualNormTest {
  private static final List<SiteDraft> VECTOR =
      List.of(
          new SiteDraft("a.", 1, HookPoint.ATTENTION_INPUT, new float[] {3, 4, 0}),
          new SiteDraft("b.", 2, HookPoint.RESIDUAL_POST, new float[] {0, 0, 12}));

  @Test
  void shouldDrawADirectionAsLongAsTheVectorAtEverySite() {
    List<SiteDraft> drawn = EqualNorm.random(VECTOR, 5);

    assertThat(drawn).extracting(SiteDraft::layer).containsExactly(1, 2);
    assertThat(drawn)
        .extracting(site -> Float32.norm(site.values()))
        .satisfies(
            norms -> {
              assertThat(norms.get(0)).isCloseTo(5, within(1e-6));
              assertThat(norms.get(1)).isCloseTo(12, within(1e-6));
            });
    assertThat(EqualNorm.norm(drawn)).isCloseTo(13, within(1e-5));
    assertThat(EqualNorm.random(VECTOR, 5).get(0).values()).isEqualTo(drawn.get(0).values());
    assertThat(EqualNorm.random(VECTOR, 6).get(0).values()).isNotEqualTo(drawn.get(0).values());
  }

  @Test
  void shouldCompareOverAllSites() {
    List<SiteDraft> turned =
        List.of(
            new SiteDraft("a.", 1, HookPoint.ATTENTION_INPUT, new float[] {-3, -4, 0}),
            VECTOR.get(1));
    assertThat(EqualNorm.cosine(VECTOR, VECTOR)).isCloseTo(1, within(1e-15));
    assertThat(EqualNorm.cosine(VECTOR, turned)).isCloseTo(119 / 169.0, within(1e-15));
  }
}
