package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Golden;
import io.lensflow.engine.Trace;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine in float32 against transformers, on tiny models of every architecture. */
class GoldenAgreementTest {
  private static final double ROW_TOLERANCE = 3e-5;
  private static final float LOGIT_TOLERANCE = 5e-4f;

  /**
   * Below this gap between the two greatest logits another order of summation may choose the other.
   */
  private static final float CLEAR_GAP = 1e-2f;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldAgreeWithTransformersWhenRunInFloat32(String fixture) throws IOException {
    try (Golden golden = Golden.of(fixture);
        Engine engine = load(fixture)) {
      for (JsonNode item : golden.description().path("cases")) {
        String name = item.path("case").asText();
        int[] prompt = golden.integers(name + ".prompt_ids");
        assertThat(engine.tokenizer().encode(item.path("text").asText())).isEqualTo(prompt);
        compare(golden, engine, name, prompt, List.of());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldAgreeWithTransformersWhenSteered(String fixture) throws IOException {
    try (Golden golden = Golden.of(fixture);
        Engine engine = load(fixture)) {
      for (JsonNode item : golden.description().path("steering")) {
        List<SteeringSite> sites = new ArrayList<>();
        for (JsonNode site : item.path("apply")) {
          sites.add(site(golden, engine, site));
        }
        int[] prompt = golden.integers(item.path("prompt").asText() + ".prompt_ids");
        compare(golden, engine, item.path("case").asText(), prompt, sites);
        sites.forEach(site -> site.vector().close());
      }
    }
  }

  private static Engine load(String fixture) throws IOException {
    return EngineLoader.load(
        SharedData.folder("fixtures/" + fixture),
        EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(256));
  }

  private static SteeringSite site(Golden golden, Engine engine, JsonNode node) throws IOException {
    JsonNode positions = node.path("positions");
    StringJoiner list = new StringJoiner(",");
    positions.forEach(position -> list.add(position.asText()));
    return new SteeringSite(
        engine.prepare(golden.floats("vector." + node.path("vector").asText())),
        node.path("layer").asInt(),
        HookPoint.valueOf(node.path("hook").asText()),
        SteeringOperation.valueOf(node.path("operation").asText()),
        (float) node.path("multiplier").asDouble(),
        PositionSpec.parse(positions.isArray() ? list.toString() : positions.asText()),
        node.path("preserveNorm").asBoolean(false));
  }

  private static void compare(
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
          .containsExactly(expected, org.assertj.core.data.Offset.offset(LOGIT_TOLERANCE));
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
