package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.engine.DType;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.checkpoint.CheckpointConfig.Features;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a configuration means, field by field: expectations are what transformers 5.23 reads. */
class ConfigReaderTest {
  @TempDir private Path folder;

  @Test
  void shouldReadBothLayoutsAlikeWhenTheyMeanTheSame() throws IOException {
    CheckpointConfig old =
        llama(
            config -> {
              config.put("rope_theta", 500000.0).put("torch_dtype", "bfloat16");
              scaling(config.putObject("rope_scaling"));
            });
    CheckpointConfig current =
        llama(
            config -> {
              config.remove("rope_theta");
              config.remove("torch_dtype");
              config.put("dtype", "bfloat16");
              scaling(config.putObject("rope_parameters").put("rope_theta", 500000.0));
            });
    assertThat(current).isEqualTo(old);
    assertThat(old.storage()).isEqualTo(DType.BFLOAT16);
    assertThat(old.model().rope())
        .isEqualTo(new RopeConfig(500000, new RopeConfig.Llama3Scaling(8, 1, 4, 8192)));
  }

  private static ObjectNode scaling(ObjectNode node) {
    return node.put("rope_type", "llama3")
        .put("factor", 8.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 8192);
  }

  @Test
  void shouldTakeEndIdsFromGenerationConfigWhenItNamesThem() throws IOException {
    assertThat(llama(config -> {}).model().eosTokenIds()).containsExactly(1);
    Path generation = folder.resolve("generation_config.json");
    Files.writeString(generation, "{\"eos_token_id\": [2, 3]}");
    assertThat(llama(config -> {}).model().eosTokenIds()).containsExactlyInAnyOrder(2, 3);
    Files.writeString(generation, "{\"temperature\": 0.6}");
    assertThat(llama(config -> {}).model().eosTokenIds()).containsExactly(1);
  }

  @ParameterizedTest
  @CsvSource({
    "llama-bias, eos_token_id, 2",
    "mistral-window, eos_token_id, 2",
    "qwen2, eos_token_id, ",
    "qwen3, eos_token_id, ",
  })
  void shouldTakeTheArchitecturesEndIdWhenNoneIsGiven(String name, String field, Integer id)
      throws IOException {
    assertThat(read(name, config -> config.remove(field)).model().eosTokenIds())
        .isEqualTo(id == null ? Set.of() : Set.of(id));
    assertThat(read(name, config -> config.putNull(field)).model().eosTokenIds()).isEmpty();
  }

  @Test
  void shouldTakeTheArchitecturesDefaultsWhenFieldsAreAbsent() throws IOException {
    absent("llama-tp", "num_key_value_heads", ModelConfig::keyValueHeads, 8);
    absent("llama-mqa", "head_dim", ModelConfig::headSize, 10);
    absent("llama-tp", "rms_norm_eps", ModelConfig::rmsNormEps, 1e-6);
    absent("mistral-window", "rms_norm_eps", ModelConfig::rmsNormEps, 1e-6);
    absent("mistral-window", "head_dim", ModelConfig::headSize, 10);
    absent("qwen3", "head_dim", ModelConfig::headSize, 128);
    absent("llama-bias", "rope_theta", ModelConfig::rope, new RopeConfig(10_000, null));
    for (String name : GoldenCheckpoints.NAMES) {
      absent(name, "tie_word_embeddings", ModelConfig::tiedHead, false);
    }
    assertThat(keyValueHeads("mistral-window", 16, false)).isEqualTo(8);
    assertThat(keyValueHeads("qwen2", 64, false)).isEqualTo(32);
    assertThat(keyValueHeads("qwen3", 64, false)).isEqualTo(32);
    assertThat(keyValueHeads("mistral-window", 20, true)).isEqualTo(20);
    assertThat(keyValueHeads("qwen2", 24, true)).isEqualTo(24);
  }

  private <T> void absent(String name, String field, Function<ModelConfig, T> value, T expected)
      throws IOException {
    assertThat(value.apply(read(name, config -> config.remove(field)).model()))
        .as("%s without %s", name, field)
        .isEqualTo(expected);
  }

  private int keyValueHeads(String name, int heads, boolean isNull) throws IOException {
    return read(
            name,
            config -> {
              config.put("num_attention_heads", heads).put("head_dim", 16);
              config.remove("num_key_value_heads");
              if (isNull) {
                config.putNull("num_key_value_heads");
              }
            })
        .model()
        .keyValueHeads();
  }

  @ParameterizedTest
  @CsvSource({
    "llama-mqa, true, true, true, false",
    "qwen3, true, true, false, true",
    "qwen2, true, false, false, false",
    "mistral-window, false, false, false, false",
  })
  void shouldHeedABiasFlagOnlyWhenTheArchitectureDoes(
      String name, boolean attention, boolean output, boolean mlp, boolean norm)
      throws IOException {
    assertThat(
            read(name, config -> config.put("attention_bias", true).put("mlp_bias", true))
                .features())
        .isEqualTo(new Features(attention, output, mlp, norm));
  }

  @Test
  void shouldFollowTransformersPrecedenceWhenRotaryFieldsCompete() throws IOException {
    assertThat(rope(config -> config.putObject("rope_parameters").put("rope_theta", 7.0)))
        .isEqualTo(new RopeConfig(7, null));
    assertThat(rope(config -> config.putObject("rope_parameters").put("rope_type", "default")))
        .isEqualTo(new RopeConfig(10_000, null));
    assertThat(rope(config -> config.putObject("rope_parameters")))
        .isEqualTo(new RopeConfig(10_000, null));
    assertThat(rope(config -> config.putObject("rope_scaling").put("type", "default")))
        .isEqualTo(new RopeConfig(10_000, null));
    RopeConfig both =
        rope(
            config -> {
              scaling(config.putObject("rope_scaling"));
              config.putObject("rope_parameters").put("rope_theta", 7.0);
            });
    assertThat(both).isEqualTo(new RopeConfig(10_000, new RopeConfig.Llama3Scaling(8, 1, 4, 8192)));
    RopeConfig contextLeftOut =
        rope(
            config ->
                scaling(config.putObject("rope_scaling"))
                    .remove("original_max_position_embeddings"));
    assertThat(contextLeftOut.llama3().originalContext()).isEqualTo(4096);
  }

  private RopeConfig rope(Consumer<ObjectNode> change) throws IOException {
    return llama(change).model().rope();
  }

  @Test
  void shouldIgnoreWhatChangesNoNumber() throws IOException {
    CheckpointConfig plain = llama(config -> {});
    assertThat(llama(config -> config.put("pretraining_tp", 4))).isEqualTo(plain);
    assertThat(llama(config -> config.put("hidden_act", "swish"))).isEqualTo(plain);
    assertThat(llama(config -> config.putNull("quantization_config"))).isEqualTo(plain);
    assertThat(llama(config -> config.putNull("rope_scaling"))).isEqualTo(plain);
    // Llama's attention never slides, whatever its configuration says.
    assertThat(llama(config -> config.put("sliding_window", 3))).isEqualTo(plain);
    assertThat(llama(config -> config.put("torch_dtype", "torch.float32"))).isEqualTo(plain);
    assertThat(llama(config -> config.put("dtype", "float32").put("torch_dtype", "bfloat16")))
        .isEqualTo(plain);
  }

  private CheckpointConfig llama(Consumer<ObjectNode> change) throws IOException {
    ObjectNode config = new CheckpointFolder(folder).config();
    change.accept(config);
    Files.writeString(folder.resolve("config.json"), config.toString());
    return ConfigReader.read(folder);
  }

  /** Reads a golden checkpoint's configuration after a change. */
  private CheckpointConfig read(String name, Consumer<ObjectNode> change) throws IOException {
    Path file = GoldenCheckpoints.folder(name).resolve("config.json");
    ObjectNode config = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    change.accept(config);
    Files.writeString(folder.resolve("config.json"), config.toString());
    return ConfigReader.read(folder);
  }
}
