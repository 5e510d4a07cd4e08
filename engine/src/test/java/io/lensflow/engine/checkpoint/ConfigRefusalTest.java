package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not computed is refused by name; what is broken is named with its file and field. */
class ConfigRefusalTest {
  private static final String LLAMA3 =
      "\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"architectures\":[\"GPT2LMHeadModel\"]} | architecture 'GPT2LMHeadModel'",
        "{\"architectures\":[\"LlamaModel\"]} | architecture 'LlamaModel'",
        "{\"architectures\":[\"MixtralForCausalLM\"]} | architecture 'MixtralForCausalLM'",
        "{\"model_type\":\"mistral\"} | model_type 'mistral'",
        "{\"hidden_act\":\"gelu\"} | hidden_act 'gelu'",
        "{\"is_causal\":false} | is_causal 'false'",
        "{\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}} | rope_type 'linear'",
        "{\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}} | rope_type 'dynamic'",
        "{\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2}} | rope_type 'yarn'",
        "{\"rope_parameters\":{\"rope_type\":\"longrope\"}} | rope_type 'longrope'",
        "{\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"}}} | rope_parameters 'one object per layer type: full_attention'",
        "{\"partial_rotary_factor\":0.5} | partial_rotary_factor '0.5'",
        "{\"rope_parameters\":{\"partial_rotary_factor\":0.25}} | partial_rotary_factor '0.25'",
        "{\"quantization_config\":{\"quant_method\":\"gptq\"}} | quantization 'gptq'",
        "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\"}} | quantization 'compressed-tensors'",
        "{\"quantization_config\":{\"load_in_8bit\":true}} | quantization 'quantization_config'",
        "{\"compression_config\":{\"format\":\"int-quantized\"}} | quantization 'compression_config'",
        "{\"torch_dtype\":\"int8\"} | dtype 'int8'",
        "{\"dtype\":\"float8_e4m3fn\"} | dtype 'float8_e4m3fn'",
        "{\"dtype\":\"float64\"} | dtype 'float64'",
      })
  void shouldRefuseByNameWhatIsNotComputed(String change, String message) {
    assertThatThrownBy(() -> read(change))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message + " is not supported; supported: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"architectures\":null} | architectures is absent",
        "{\"architectures\":\"LlamaForCausalLM\"} | architectures is absent or empty",
        "{\"hidden_size\":null} | hidden_size is null; it must be a positive integer",
        "{\"hidden_size\":2147483648} | hidden_size is 2147483648",
        "{\"hidden_size\":16.0} | hidden_size is 16.0",
        "{\"hidden_size\":\"16\"} | hidden_size is \"16\"",
        "{\"hidden_size\":17} | hidden_size is not a multiple of num_attention_heads",
        "{\"num_hidden_layers\":0} | num_hidden_layers is 0",
        "{\"vocab_size\":-1} | vocab_size is -1",
        "{\"max_position_embeddings\":0} | max_position_embeddings is 0",
        "{\"rms_norm_eps\":\"small\"} | rms_norm_eps is \"small\"; it must be a positive number",
        "{\"rms_norm_eps\":0} | rms_norm_eps is 0",
        "{\"num_key_value_heads\":3} | num_attention_heads 2 is not a multiple of num_key_value_heads 3",
        "{\"head_dim\":7} | head_dim is odd",
        "{\"head_dim\":0} | head_dim is 0",
        "{\"hidden_act\":3} | hidden_act is 3; it must be a string",
        "{\"tie_word_embeddings\":\"no\"} | tie_word_embeddings is \"no\"; it must be true or false",
        "{\"attention_bias\":1} | attention_bias is 1; it must be true or false",
        "{\"rope_theta\":null} | rope_theta is null",
        "{\"rope_theta\":-1} | rope_theta is -1",
        "{\"rope_scaling\":\"linear\"} | rope_scaling is \"linear\"; it must be an object",
        "{\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}} | rope_scaling.low_freq_factor is absent",
        "{\"eos_token_id\":\"</s>\"} | eos_token_id is \"</s>\"; it must be an id or a list of ids",
        "{\"eos_token_id\":[1,[2]]} | eos_token_id is [1,[2]]",
        "{\"torch_dtype\":7} | torch_dtype is 7; it must be a string",
      })
  void shouldNameTheFieldWhenItIsAbsentOrWrong(String change, String message) {
    broken(change, message);
  }

  @Test
  void shouldRefuseWhenRotaryScalingContradictsItself() {
    broken(
        "{\"original_max_position_embeddings\":64,\"rope_scaling\":{%s,%s}}"
            .formatted(LLAMA3, "\"original_max_position_embeddings\":32"),
        "original_max_position_embeddings is 32 inside the rotary parameters and 64 beside");
    broken(
        "{\"rope_scaling\":{%s}}".formatted(LLAMA3.replace(":4", ":1")),
        "high_freq_factor 1.0 is not greater than low_freq_factor 1.0");
  }

  @Test
  void shouldNameTheFieldWhenANumberIsBeyondAll() throws IOException {
    String config = new CheckpointFolder(folder).config().toString();
    Files.writeString(
        folder.resolve("config.json"),
        config.replaceFirst("\"rms_norm_eps\":[^,]*", "\"rms_norm_eps\":1e999"));
    assertThatThrownBy(() -> ConfigReader.read(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("rms_norm_eps is ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "null", "{} {}", "{\"a\":1,\"a\":2}", "{\"a\":NaN}", "{\"a\":01}"})
  void shouldNameTheFileWhenItIsNotAJsonObject(String text) throws IOException {
    Files.writeString(folder.resolve("config.json"), text);
    assertThatThrownBy(() -> ConfigReader.read(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(folder.resolve("config.json").toString())
        .hasMessageContaining("the file is not");
  }

  @Test
  void shouldNameTheFileWhenItIsNotText() throws IOException {
    Path file = folder.resolve("config.json");
    Files.write(file, new byte[] {0, 0, 0, (byte) 0x80, (byte) 0xFF});
    assertThatThrownBy(() -> ConfigReader.read(folder))
        .hasMessage(file + ": the file is not JSON: not UTF-8");
    Files.write(file, "{\"hidden_size\": 16}".getBytes(StandardCharsets.UTF_16));
    assertThatThrownBy(() -> ConfigReader.read(folder)).hasMessageContaining("not JSON");
    Files.writeString(file, "[".repeat(100_000));
    assertThatThrownBy(() -> ConfigReader.read(folder)).hasMessageContaining("not JSON");
  }

  @Test
  void shouldNameTheGenerationConfigWhenItIsBroken() throws IOException {
    Path file = folder.resolve("generation_config.json");
    Files.writeString(file, "{\"eos_token_id\": [2, 3.5]}");
    assertThatThrownBy(() -> read("{}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("eos_token_id is [2,3.5]");
    Files.writeString(file, "{\"eos_token_id\": ");
    assertThatThrownBy(() -> read("{}")).hasMessageContaining(file + ": the file is not JSON");
  }

  @Test
  void shouldSayWhichFolderWhenThereIsNoConfiguration() {
    assertThatThrownBy(() -> ConfigReader.read(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(folder + ": no config.json");
    assertThat(folder).isEmptyDirectory();
  }

  private void broken(String change, String message) {
    assertThatThrownBy(() -> read(change))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json: ")
        .hasMessageContaining(message);
  }

  private CheckpointConfig read(String change) throws IOException {
    ObjectNode config = new CheckpointFolder(folder).config();
    JsonNode fields = new ObjectMapper().readTree(change);
    config.setAll((ObjectNode) fields);
    Files.writeString(folder.resolve("config.json"), config.toString());
    return ConfigReader.read(folder);
  }
}
