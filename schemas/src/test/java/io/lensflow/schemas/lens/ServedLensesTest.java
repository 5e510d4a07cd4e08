package io.lensflow.schemas.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServedLensesTest {
  private static final int VOCABULARY = 100;

  @Test
  void shouldServeWhatAnEmptyRequestMeans() {
    assertThat(ServedLenses.refusal(LensRequest.newBuilder().build())).isEmpty();
  }

  @Test
  void shouldServeEveryMetricThatTheRecordsCanName() {
    LensRequest lens =
        LensRequest.newBuilder()
            .setMetrics(List.copyOf(ServedLenses.METRICS))
            .setTargetIds(List.of(0, VOCABULARY - 1))
            .setTargetTexts(List.of(" Paris"))
            .setProjections(List.of("calm@3"))
            .setAccuracy(LensAccuracy.EXACT)
            .setNormScale(NormScale.FINAL)
            .build();

    assertThat(ServedLenses.METRICS).hasSize(LensMetric.values().length - 1);
    assertThat(ServedLenses.refusal(lens, VOCABULARY)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"logit", "tuned", "smol-tuned.v2_3", "7"})
  void shouldLetThroughWhateverATranslatorMayBeCalled(String name) {
    assertThat(ServedLenses.refusal(LensRequest.newBuilder().setName(name).build())).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void shouldNameTheFieldWhenNoDecoderCouldAnswer(
      String field, String message, Consumer<LensRequest> change) {
    LensRequest lens = LensRequest.newBuilder().build();
    change.accept(lens);

    assertThat(ServedLenses.refusal(lens, VOCABULARY))
        .hasValueSatisfying(
            refusal -> {
              assertThat(refusal.field()).isEqualTo(field);
              assertThat(refusal.message()).contains(message);
            });
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        refusal("name", "'' cannot be a lens", lens -> lens.setName("")),
        refusal("name", "'../tuned' cannot", lens -> lens.setName("../tuned")),
        refusal("name", "such as 'logit'", lens -> lens.setName("x".repeat(101))),
        refusal("metrics", "known are", lens -> lens.setMetrics(List.of(LensMetric.UNKNOWN))),
        refusal("metrics", "no metric", lens -> lens.setMetrics(List.of())),
        refusal("accuracy", "FAST and EXACT", lens -> lens.setAccuracy(LensAccuracy.UNKNOWN)),
        refusal("normScale", "OWN and FINAL", lens -> lens.setNormScale(NormScale.UNKNOWN)),
        refusal("topK", "0; it must be 1 … 100", lens -> lens.setTopK(0)),
        refusal("topK", "101; it must be 1 … 100", lens -> lens.setTopK(101)),
        refusal("targetIds[1]", "-1 is not", lens -> lens.setTargetIds(List.of(3, -1))),
        refusal("targetIds[0]", "ids are 0 … 99", lens -> lens.setTargetIds(List.of(100))),
        refusal(
            "targetIds",
            "1001 targets",
            lens -> {
              lens.setTargetIds(Collections.nCopies(1000, 1));
              lens.setTargetTexts(List.of("a"));
            }),
        refusal(
            "projections",
            "at least one vector",
            lens -> lens.setMetrics(List.of(LensMetric.PROJECTIONS))),
        refusal("projections", "'calm' must be", lens -> lens.setProjections(List.of("calm"))),
        refusal(
            "projections",
            "65 vectors",
            lens -> lens.setProjections(Collections.nCopies(65, "calm@1"))));
  }

  @Test
  void shouldNotMindTopKWhenNoTopTokensAreAskedFor() {
    LensRequest lens =
        LensRequest.newBuilder().setTopK(0).setMetrics(List.of(LensMetric.ENTROPY)).build();

    assertThat(ServedLenses.refusal(lens, VOCABULARY)).isEmpty();
  }

  private static Arguments refusal(String field, String message, Consumer<LensRequest> change) {
    return arguments(field, message, change);
  }
}
