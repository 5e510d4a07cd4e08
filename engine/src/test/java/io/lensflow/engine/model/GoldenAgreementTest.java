package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.Golden;
import io.lensflow.engine.GoldenAgreement;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine in float32 against transformers, on tiny models of every architecture. */
class GoldenAgreementTest {
  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldAgreeWithTransformersWhenRunInFloat32(String fixture) throws IOException {
    try (Golden golden = Golden.of(fixture);
        Engine engine = load(fixture)) {
      for (JsonNode item : golden.description().path("cases")) {
        String name = item.path("case").asText();
        int[] prompt = golden.integers(name + ".prompt_ids");
        assertThat(engine.tokenizer().encode(item.path("text").asText())).isEqualTo(prompt);
        GoldenAgreement.check(golden, engine, name, prompt, List.of());
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
        GoldenAgreement.check(golden, engine, item.path("case").asText(), prompt, sites);
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
}
