package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.engine.DType;
import io.lensflow.engine.model.RopeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {
  @TempDir private Path folder;

  @Test
  void shouldReadBothLayoutsAlikeWhenTheyMeanTheSame() throws IOException {
    CheckpointConfig old =
        read(
            config -> {
              config.put("rope_theta", 500000.0).put("torch_dtype", "bfloat16");
              scaling(config.putObject("rope_scaling"));
            });
    CheckpointConfig current =
        read(
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

  private static void scaling(ObjectNode node) {
    node.put("rope_type", "llama3")
        .put("factor", 8.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 8192);
  }

  @Test
  void shouldTakeEndIdsFromGenerationConfigWhenItNamesThem() throws IOException {
    assertThat(read(config -> {}).model().eosTokenIds()).containsExactly(1);
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [2, 3]}");
    assertThat(read(config -> {}).model().eosTokenIds()).containsExactlyInAnyOrder(2, 3);
  }

  @Test
  void shouldRefuseByNameWhatIsNotComputed() {
    refused(config -> config.putArray("architectures").add("GPT2LMHeadModel"), "GPT2LMHeadModel");
    refused(config -> config.put("hidden_act", "gelu"), "hidden_act 'gelu'");
    refused(
        config -> config.putObject("rope_scaling").put("type", "yarn").put("factor", 2),
        "rope_type 'yarn'");
    refused(
        config -> config.putObject("quantization_config").put("quant_method", "gptq"),
        "quantization 'gptq'");
    refused(config -> config.put("torch_dtype", "int8"), "dtype 'int8'");
  }

  @Test
  void shouldNameTheFieldWhenItIsAbsentOrOutOfRange() {
    broken(config -> config.remove("hidden_size"), "hidden_size is absent");
    broken(config -> config.put("num_hidden_layers", 0), "num_hidden_layers is 0");
    broken(config -> config.put("rms_norm_eps", "small"), "rms_norm_eps is \"small\"");
    broken(config -> config.put("num_key_value_heads", 3), "not a multiple");
  }

  private void refused(Consumer<ObjectNode> change, String message) {
    assertThatThrownBy(() -> read(change))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("is not supported; supported: ");
  }

  private void broken(Consumer<ObjectNode> change, String message) {
    assertThatThrownBy(() -> read(change))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  private CheckpointConfig read(Consumer<ObjectNode> change) throws IOException {
    CheckpointFolder checkpoint = new CheckpointFolder(folder);
    change.accept(checkpoint.config());
    Files.writeString(folder.resolve("config.json"), checkpoint.config().toString());
    return ConfigReader.read(folder);
  }
}
