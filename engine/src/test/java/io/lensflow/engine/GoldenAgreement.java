package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.steering.SteeringSite;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;

/** The comparison of a float32 engine with what transformers computed in float32. */
public final class GoldenAgreement {
  private static final double ROW_TOLERANCE = 3e-5;
  private static final float LOGIT_TOLERANCE = 5e-4f;

  /**
   * Below this gap between the two greatest logits another order of summation may choose the other.
   */
  private static final float CLEAR_GAP = 1e-2f;

  private GoldenAgreement() {}

  /**
   * Holds one case to its reference: all hook points, layers and rows, the logits of all rows, and
   * the greedy tokens.
   *
   * @param name of the case, the prefix of its tensors
   */
  public static void check(
      Golden golden, Engine engine, String name, int[] prompt, List<SteeringSite> sites)
      throws IOException {
    int[] expectedIds = golden.integers(name + ".greedy_ids");
    int[] ids = Arrays.copyOf(prompt, prompt.length + expectedIds.length - 1);
    System.arraycopy(expectedIds, 0, ids, prompt.length, expectedIds.length - 1);
    Trace trace = Trace.of(engine, ids, prompt.length, prompt.length, sites);
    compareRows(golden, name, trace, engine.config());
    float[] expectedLogits = golden.floats(name + ".logits");
    int v = engine.config().vocabularySize();
    for (int position = 0; position < trace.length(); position++) {
      float[] expected = Arrays.copyOfRange(expectedLogits, position * v, (position + 1) * v);
      assertThat(trace.logits(position))
          .as("%s logits at %d", name, position)
          .containsExactly(expected, Offset.offset(LOGIT_TOLERANCE));
    }
    int[] generated =
        Generation.greedy(expectedIds.length, Set.of())
            .steered(sites)
            .run(engine, prompt, step -> {});
    int clear = clearlyChosen(expectedLogits, v, prompt.length, expectedIds.length);
    assertThat(clear).as("%s: clearly chosen tokens", name).isPositive();
    assertThat(Arrays.copyOf(generated, clear)).isEqualTo(Arrays.copyOf(expectedIds, clear));
  }

  private static void compareRows(Golden golden, String name, Trace trace, ModelConfig config)
      throws IOException {
    int d = config.hiddenSize();
    for (HookPoint point : HookPoint.values()) {
      float[] expected = golden.floats(name + "." + point.fileName());
      for (int layer = 0; layer < config.layers(); layer++) {
        for (int position = 0; position < trace.length(); position++) {
          int offset = (layer * trace.length() + position) * d;
          assertThat(Trace.distance(trace.row(point, layer, position), expected, offset))
              .as("%s %s layer %d position %d", name, point, layer, position)
              .isLessThan(ROW_TOLERANCE);
        }
      }
    }
  }

  /** How many tokens are chosen before the first whose two greatest logits nearly tie. */
  private static int clearlyChosen(float[] logits, int v, int promptLength, int generated) {
    for (int i = 0; i < generated; i++) {
      int row = promptLength - 1 + i;
      float[] sorted = Arrays.copyOfRange(logits, row * v, (row + 1) * v);
      Arrays.sort(sorted);
      if (sorted[v - 1] - sorted[v - 2] <= CLEAR_GAP) {
        return i;
      }
    }
    return generated;
  }
}
