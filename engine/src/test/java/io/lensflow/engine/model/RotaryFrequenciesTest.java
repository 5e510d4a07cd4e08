package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.GoldenCheckpoints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RotaryFrequenciesTest {
  /** Two units in the last place: the powers of two mathematical libraries differ by that. */
  private static final float TOLERANCE = 1.3e-7f;

  private static final int EXACT_OF_100 = 85;

  private static List<JsonNode> models() throws IOException {
    List<JsonNode> models = new ArrayList<>();
    new ObjectMapper()
        .readTree(GoldenCheckpoints.folder("rotary.json").toFile())
        .forEach(models::add);
    return models;
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldRoundAsTransformersDoesWhenModelsInUseAreRead(JsonNode model) {
    float[] frequencies = RotaryFrequencies.of(rope(model), model.path("head_dim").asInt());
    JsonNode expected = model.path("inverse_frequencies");
    assertThat(frequencies).hasSize(expected.size());
    int exact = 0;
    for (int i = 0; i < frequencies.length; i++) {
      float value = expected.get(i).floatValue();
      exact += frequencies[i] == value ? 1 : 0;
      assertThat(Math.abs(frequencies[i] / value - 1))
          .as("%s, pair %d", model.path("model"), i)
          .isLessThan(TOLERANCE);
    }
    assertThat(exact * 100).isGreaterThanOrEqualTo(frequencies.length * EXACT_OF_100);
  }

  private static RopeConfig rope(JsonNode model) {
    return new RopeConfig(
        model.path("rope_theta").asDouble(),
        model.path("rope_type").asText().equals("llama3")
            ? new RopeConfig.Llama3Scaling(
                model.path("factor").asDouble(),
                model.path("low_freq_factor").asDouble(),
                model.path("high_freq_factor").asDouble(),
                model.path("original_max_position_embeddings").asInt())
            : null);
  }
}
