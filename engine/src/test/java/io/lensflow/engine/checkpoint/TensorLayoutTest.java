package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors that are missing, misshapen, of an unreadable type, or more than the model has. */
class TensorLayoutTest {
  @TempDir private Path folder;
  private CheckpointFolder checkpoint;

  @BeforeEach
  void begin() {
    checkpoint = new CheckpointFolder(folder);
  }

  @Test
  void shouldNameEachTensorWhenItIsMissing() throws IOException {
    for (String name : checkpoint.shapes().keySet().toArray(new String[0])) {
      CheckpointFolder incomplete = new CheckpointFolder(folder);
      incomplete.shapes().remove(name);
      incomplete.write();
      refused("tensor " + name + " is missing, which a LlamaForCausalLM needs");
    }
  }

  @Test
  void shouldNameEachTensorWhenItsShapeIsWrong() throws IOException {
    for (String name : checkpoint.shapes().keySet().toArray(new String[0])) {
      CheckpointFolder misshapen = new CheckpointFolder(folder);
      misshapen.shapes().put(name, new long[] {3, 5});
      misshapen.write();
      refused("model.safetensors: tensor " + name + " has shape [3, 5]; config.json makes it [");
    }
  }

  @Test
  void shouldRefuseWhenTheConfigurationClaimsAbsurdSizes() throws IOException {
    checkpoint.write();
    for (String field : new String[] {"vocab_size", "intermediate_size", "num_hidden_layers"}) {
      CheckpointFolder absurd = new CheckpointFolder(folder);
      absurd.config().put(field, Integer.MAX_VALUE);
      absurd.write();
      assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
          .isInstanceOf(CheckpointException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"I8", "U8", "F8_E4M3", "F8_E5M2", "F64", "I64", "BOOL"})
  void shouldRefuseATypeWhenItIsNotComputed(String dtype) throws IOException {
    checkpoint.storedAs("model.layers.1.mlp.up_proj.weight", dtype).write();
    refused(
        "tensor model.layers.1.mlp.up_proj.weight is stored as " + dtype,
        "supported: F32, F16, BF16");
  }

  @ParameterizedTest
  @CsvSource({
    "model.layers.0.self_attn.q_proj.bias, 16",
    "model.layers.1.mlp.down_proj.bias, 16",
    "model.layers.0.self_attn.q_norm.weight, 8",
    "model.layers.0.self_attn.q_proj.weight_scale, 1",
    "model.layers.1.self_attn.q_proj.qweight, 4",
    "model.layers.1.adapter.weight, 4",
    "model.norm.bias, 16",
    "lm_head.bias, 48",
  })
  void shouldRefuseWhenAPartOfTheModelWouldBeLeftOut(String name, long size) throws IOException {
    checkpoint.shapes().put(name, new long[] {size});
    checkpoint.write();
    refused("tensor " + name + " is not part of a LlamaForCausalLM as config.json describes it");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.layers.0.self_attn.rotary_emb.inv_freq",
        "model.layers.2.input_layernorm.weight",
        "score.weight",
        "vision_tower.weight",
        "bias",
      })
  void shouldLoadWhenATensorBelongsToNothingInTheModel(String name) throws IOException {
    checkpoint.shapes().put(name, new long[] {4});
    checkpoint.write();
    AtomicLong left = new AtomicLong();
    EngineOptions options = EngineOptions.defaults().withKvTokens(16);
    EngineLoader.load(folder, options, (read, total) -> left.set(total - read)).close();
    assertThat(left).hasValue(0);
  }

  @Test
  void shouldUseTheHeadThatIsThereWhenTheConfigurationTiesIt() throws IOException {
    checkpoint.config().put("tie_word_embeddings", true);
    checkpoint.write();
    try (Checkpoint untied = Checkpoint.open(folder)) {
      assertThat(untied.config().model().tiedHead()).isFalse();
    }
    checkpoint.shapes().remove("lm_head.weight");
    checkpoint.write();
    try (Checkpoint tied = Checkpoint.open(folder)) {
      assertThat(tied.config().model().tiedHead()).isTrue();
    }
  }

  @Test
  void shouldTakeTheEmbeddingsTypeWhenTheConfigurationNamesNone() throws IOException {
    checkpoint.config().remove("torch_dtype");
    checkpoint.storedAs("model.embed_tokens.weight", "BF16").write();
    try (Checkpoint opened = Checkpoint.open(folder)) {
      assertThat(opened.config().storage()).isEqualTo(DType.BFLOAT16);
    }
  }

  private void refused(String... messages) {
    assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(messages);
  }
}
