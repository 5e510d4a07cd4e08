package io.lensflow.steering.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DraftCheckTest {
  private static final HookPoint POST = HookPoint.RESIDUAL_POST;
  private static final ModelShape SHAPE = new ModelShape("w1", "r1", 4, 3);

  private final DraftCheck check = new DraftCheck(2);

  @Test
  void shouldAcceptWithoutWarningWhenADraftFitsALiveWorker() {
    assertThat(check.check(Drafts.at(3, POST, 0, 0, 2), "m", List.of(SHAPE))).isEmpty();
  }

  @Test
  void shouldAcceptAndWarnWhenNoWorkerIsLive() {
    assertThat(check.check(Drafts.at(99, POST, 1), "m", List.of()))
        .singleElement()
        .asString()
        .contains("no live worker", "'m'");
  }

  @Test
  void shouldAcceptWhenOneOfTwoDifferentWorkersFits() {
    ModelShape other = new ModelShape("w2", "r2", 8, 2);
    assertThat(check.check(Drafts.at(7, POST, 1, 1), "m", List.of(SHAPE, other))).isEmpty();
    assertThat(refused(Drafts.at(7, POST, 1, 1, 1), SHAPE, other).field()).isEqualTo("layer");
  }

  @Test
  void shouldNameLengthAndWorkerWhenALengthDoesNotFit() {
    RefusedException refused = refused(Drafts.at(0, POST, 1, 2), SHAPE);
    assertThat(refused.field()).isEqualTo("values");
    assertThat(refused).hasMessageContaining("2 values").hasMessageContaining("hidden size 3");
  }

  @Test
  void shouldNameTheRangeWhenALayerIsOutOfIt() {
    RefusedException refused = refused(Drafts.at(4, POST, 1, 2, 3), SHAPE);
    assertThat(refused.field()).isEqualTo("layer");
    assertThat(refused).hasMessageContaining("0 … 3");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void shouldNameTheIndexWhenAValueIsNotFinite(float value) {
    assertThat(refused(Drafts.at(0, POST, 1, value, 3), SHAPE).field()).isEqualTo("values[1]");
  }

  @Test
  void shouldRefuseWhenAVectorHasNoDirection() {
    assertThat(refused(Drafts.at(0, POST, 0, -0f, 0), SHAPE)).hasMessageContaining("norm 0");
  }

  @Test
  void shouldRefuseWhenAPlaceIsThereTwice() {
    RefusedException refused =
        refused(
            Drafts.of(
                new SiteDraft("sites[0].", 1, POST, new float[] {1}),
                new SiteDraft("sites[1].", 1, POST, new float[] {1})));
    assertThat(refused.field()).isEqualTo("sites[1].layer");
    assertThat(refused).hasMessageContaining("twice");
  }

  @Test
  void shouldRefuseWhenSitesDifferInLength() {
    RefusedException refused =
        refused(
            Drafts.of(
                new SiteDraft("sites[0].", 1, POST, new float[] {1}),
                new SiteDraft("sites[1].", 2, POST, new float[] {1, 2})));
    assertThat(refused.field()).isEqualTo("sites[1].values");
  }

  @Test
  void shouldRefuseWhenThereAreNoneOrTooManySites() {
    assertThat(refused(Drafts.of()).field()).isEqualTo("sites");
    SiteDraft site = new SiteDraft("", 1, POST, new float[] {1});
    assertThat(refused(Drafts.of(site, site, site))).hasMessageContaining("3 sites");
  }

  @Test
  void shouldRefuseWhenDefaultsMakeNoSense() {
    SiteDraft site = new SiteDraft("", 1, POST, new float[] {1});
    assertThat(refused(Drafts.of(SteeringOperation.UNKNOWN, "all", null, null, site)).field())
        .isEqualTo("operation");
    assertThat(refused(Drafts.of(SteeringOperation.ADD, "5-3", null, null, site)).field())
        .isEqualTo("positions");
    assertThat(refused(Drafts.at(1, HookPoint.UNKNOWN, 1)).field()).isEqualTo("hookPoint");
    assertThat(refused(Drafts.at(-1, POST, 1)).field()).isEqualTo("layer");
    assertThat(refused(Drafts.at(1, POST)).field()).isEqualTo("values");
  }

  @Test
  void shouldWarnWhenALiveWorkerRunsAnotherRevision() {
    VectorDraft draft =
        Drafts.of(
            SteeringOperation.ADD,
            "all",
            "r0",
            null,
            new SiteDraft("", 0, POST, new float[] {1, 0, 0}));
    assertThat(check.check(draft, "m", List.of(SHAPE)))
        .singleElement()
        .asString()
        .contains("'w1'", "'r1'", "'r0'");
  }

  private RefusedException refused(VectorDraft draft, ModelShape... live) {
    return catchThrowableOfType(
        RefusedException.class, () -> check.check(draft, "m", List.of(live)));
  }

  @Test
  void shouldTakeTensOfThousandsOfItemsAndNameTheOneThatIsNone() {
    String many =
        IntStream.range(0, 50_000)
            .mapToObj(i -> Integer.toString(2 * i))
            .collect(Collectors.joining(","));
    assertThat(check.check(builtFrom(many), "m", List.of(SHAPE))).isEmpty();
    RefusedException refused = refused(builtFrom(many + ",x"), SHAPE);
    assertThat(refused.field()).isEqualTo("items");
    assertThat(refused).hasMessageContaining("'x' must be numbers");
  }

  private static VectorDraft builtFrom(String items) {
    VectorManifest manifest = VectorManifest.newBuilder().setItems(items).build();
    return VectorDraft.of(manifest, Drafts.at(0, POST, 1, 2, 3).sites(), List.of(), null);
  }
}
