package io.lensflow.worker.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import io.lensflow.worker.Runs;
import java.util.List;
import org.junit.jupiter.api.Test;

/** On a tokenizer whose tokens are bytes: of "é" there are two. */
class LensValidatorTest {
  private static final int VOCABULARY = 257;

  private final LensValidator validator = new LensValidator(VOCABULARY, Runs.TOKENIZER);

  @Test
  void shouldTurnTargetsThatAreTextIntoIds() throws Exception {
    LensRequest lens =
        LensRequest.newBuilder().setTargetIds(List.of(3)).setTargetTexts(List.of("a", " ")).build();

    LensRequest resolved = validator.resolve(List.of(lens)).get(0);

    int a = Runs.TOKENIZER.encodeRendered("a")[0];
    int space = Runs.TOKENIZER.encodeRendered(" ")[0];
    assertThat(resolved.getTargetIds()).containsExactly(3, a, space);
    assertThat(resolved.getTargetTexts()).isEmpty();
  }

  @Test
  void shouldNameTheTextWhenItIsNotOneToken() {
    LensRequest lens = LensRequest.newBuilder().setTargetTexts(List.of("a", "é")).build();

    assertThat(refusal(lens)).hasMessageContaining("'é' is 2 tokens");
    assertThat(refusal(lens).failure().getField()).isEqualTo("lenses[0].targetTexts[1]");
  }

  @Test
  void shouldNameTheFieldWhenTheModelCannotAnswer() {
    assertThat(refusal(LensRequest.newBuilder().setTargetIds(List.of(VOCABULARY)).build()))
        .extracting(e -> e.failure().getField())
        .isEqualTo("lenses[0].targetIds[0]");
    assertThat(refusal(LensRequest.newBuilder().setTopK(258).build()))
        .hasMessageContaining("1 … 257");
    assertThat(refusal(LensRequest.newBuilder().setName("a/b").build()).failure().getField())
        .isEqualTo("lenses[0].name");
  }

  @Test
  void shouldKnowWhatNeedsTheModelsOwnRow() {
    LensRequest lens = LensRequest.newBuilder().build();
    assertThat(LensValidator.needsFinalRow(lens)).isFalse();
    lens.setNormScale(NormScale.FINAL);
    assertThat(LensValidator.needsFinalRow(lens)).isTrue();
    lens.setNormScale(NormScale.OWN);
    lens.setMetrics(List.of(LensMetric.JS));
    assertThat(LensValidator.needsFinalRow(lens)).isTrue();
  }

  private InvalidRequestException refusal(LensRequest lens) {
    return catchThrowableOfType(
        InvalidRequestException.class, () -> validator.resolve(List.of(lens)));
  }
}
