package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The project's own golden checkpoints ({@code src/test/resources/golden}) against transformers:
 * every architecture and option, storage type and configuration layout, on any clone.
 */
class GoldenCheckpointTest {
  private static final EngineOptions FLOAT32 =
      EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(256);

  /** One case of one checkpoint, run with some options. */
  record Run(String checkpoint, String golden, EngineOptions options) {
    @Override
    public String toString() {
      return "%s %s, %d ranks".formatted(checkpoint, golden, options.ranks());
    }
  }

  private static List<Run> runs() throws IOException {
    List<Run> runs = new ArrayList<>();
    for (String checkpoint : GoldenCheckpoints.NAMES) {
      JsonNode description = json(checkpoint, "golden.json");
      JsonNode config = json(checkpoint, "config.json");
      int heads = config.path("num_attention_heads").intValue();
      int keyValueHeads = config.path("num_key_value_heads").asInt(heads);
      for (JsonNode item : description.path("cases")) {
        String golden = item.path("case").asText();
        for (int ranks : new int[] {1, 2, 3, 4, 8}) {
          if (heads % ranks == 0 && (keyValueHeads % ranks == 0 || ranks % keyValueHeads == 0)) {
            runs.add(new Run(checkpoint, golden, FLOAT32.withRanks(ranks)));
          }
        }
      }
    }
    return runs;
  }

  private static JsonNode json(String checkpoint, String file) throws IOException {
    return new ObjectMapper().readTree(GoldenCheckpoints.folder(checkpoint).resolve(file).toFile());
  }

  @ParameterizedTest
  @MethodSource("runs")
  void shouldAgreeWithTransformersWhenRunInFloat32(Run run) throws IOException {
    try (Golden golden = Golden.in(GoldenCheckpoints.folder(run.checkpoint()));
        Engine engine =
            EngineLoader.load(GoldenCheckpoints.folder(run.checkpoint()), run.options())) {
      int[] prompt = golden.integers(run.golden() + ".prompt_ids");
      GoldenAgreement.check(golden, engine, run.golden(), prompt, List.of());
    }
  }

  /** Every copy to and from a device, with the CPU as the device. */
  @Test
  void shouldAgreeWithTransformersWhenRanksAreDevicesOfTheirOwn() throws IOException {
    for (List<String> devices : List.of(List.of("cpu:0"), List.of("cpu:0", "cpu:0"))) {
      try (Golden golden = Golden.in(GoldenCheckpoints.folder("llama-tp"));
          Engine engine =
              EngineLoader.load(
                  GoldenCheckpoints.folder("llama-tp"), FLOAT32.withDevices(devices))) {
        assertThat(engine.device()).isEqualTo("cpu:0");
        GoldenAgreement.check(
            golden, engine, "case0", golden.integers("case0.prompt_ids"), List.of());
      }
    }
  }

  @Test
  void shouldReadTheEndIdsWhenAGenerationConfigNamesSeveral() throws IOException {
    try (Engine engine = EngineLoader.load(GoldenCheckpoints.folder("llama-mqa"), FLOAT32)) {
      assertThat(engine.config().eosTokenIds()).containsExactlyInAnyOrder(2, 5, 7);
    }
  }
}
