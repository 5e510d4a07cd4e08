package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Golden;
import io.lensflow.engine.Trace;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine in bfloat16 against transformers in float32: close, as far as 8 bits go. */
class Bfloat16AgreementTest {
  private static final double USUAL_COSINE = 0.999;
  private static final double WORST_COSINE = 0.97;
  private static final double ALLOWED_SHARE = 0.01;
  private static final float CLEAR_GAP = 0.1f;
  private static final int CASES = 4;

  private int rows;
  private int unusualRows;
  private int clearRows;
  private int wrongRows;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldStayCloseToFloat32WhenRunInBfloat16(String fixture) throws IOException {
    try (Golden golden = Golden.of(fixture);
        Engine engine =
            EngineLoader.load(
                SharedData.folder("fixtures/" + fixture),
                EngineOptions.defaults().withDType(DType.BFLOAT16).withKvTokens(256))) {
      for (int i = 0; i < CASES; i++) {
        compare(golden, "case" + i, engine);
      }
    }
    assertThat(unusualRows).isLessThanOrEqualTo((int) (ALLOWED_SHARE * rows));
    assertThat(wrongRows).isLessThanOrEqualTo(1 + (int) (ALLOWED_SHARE * clearRows));
  }

  private void compare(Golden golden, String name, Engine engine) throws IOException {
    int[] prompt = golden.integers(name + ".prompt_ids");
    int[] generated = golden.integers(name + ".greedy_ids");
    int[] ids = Arrays.copyOf(prompt, prompt.length + generated.length - 1);
    System.arraycopy(generated, 0, ids, prompt.length, generated.length - 1);
    Trace trace = Trace.of(engine, ids, prompt.length, prompt.length, List.of());
    for (HookPoint point : HookPoint.values()) {
      float[] expected = golden.floats(name + "." + point.fileName());
      for (int layer = 0; layer < engine.config().layers(); layer++) {
        for (int position = 0; position < ids.length; position++) {
          float[] row = trace.row(point, layer, position);
          double cosine = cosine(row, expected, (layer * ids.length + position) * row.length);
          assertThat(cosine)
              .as("%s %s layer %d position %d", name, point, layer, position)
              .isGreaterThanOrEqualTo(WORST_COSINE);
          rows++;
          unusualRows += cosine < USUAL_COSINE ? 1 : 0;
        }
      }
    }
    compareChoices(golden.floats(name + ".logits"), trace, engine.config().vocabularySize());
  }

  private void compareChoices(float[] expected, Trace trace, int v) {
    for (int position = 0; position < trace.length(); position++) {
      float[] logits = Arrays.copyOfRange(expected, position * v, (position + 1) * v);
      int top = HeadSummary.of(logits).topId();
      Arrays.sort(logits);
      if (logits[v - 1] - logits[v - 2] > CLEAR_GAP) {
        clearRows++;
        wrongRows += HeadSummary.of(trace.logits(position)).topId() == top ? 0 : 1;
      }
    }
  }

  private static double cosine(float[] a, float[] b, int offset) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += a[i] * (double) b[offset + i];
      aa += a[i] * (double) a[i];
      bb += b[offset + i] * (double) b[offset + i];
    }
    return dot / Math.sqrt(aa * bb);
  }
}
