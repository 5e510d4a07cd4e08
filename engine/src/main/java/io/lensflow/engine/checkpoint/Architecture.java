package io.lensflow.engine.checkpoint;

import java.util.Arrays;
import java.util.List;

/**
 * The architectures that the kernels compute, with what transformers assumes where {@code
 * config.json} is silent.
 */
enum Architecture {
  LLAMA("LlamaForCausalLM", "llama", 0, 2),
  MISTRAL("MistralForCausalLM", "mistral", 8, 2),
  QWEN2("Qwen2ForCausalLM", "qwen2", 32, -1),
  QWEN3("Qwen3ForCausalLM", "qwen3", 32, -1);

  private static final int QWEN3_HEAD_SIZE = 128;

  private final String className;
  private final String modelType;
  private final int defaultKeyValueHeads;
  private final int defaultEosTokenId;

  Architecture(
      String className, String modelType, int defaultKeyValueHeads, int defaultEosTokenId) {
    this.className = className;
    this.modelType = modelType;
    this.defaultKeyValueHeads = defaultKeyValueHeads;
    this.defaultEosTokenId = defaultEosTokenId;
  }

  static Architecture of(ConfigFields config) throws CheckpointException {
    String name = config.node("architectures").path(0).asText("");
    if (name.isEmpty()) {
      throw config.broken("architectures is absent or empty; supported: " + names());
    }
    for (Architecture architecture : values()) {
      if (architecture.className.equals(name)) {
        String type = config.text("model_type", architecture.modelType);
        if (!type.equals(architecture.modelType)) {
          // transformers goes by model_type alone.
          throw config.refused(
              "model_type", type, "'%s' for %s".formatted(architecture.modelType, name));
        }
        return architecture;
      }
    }
    throw config.refused("architecture", name, names());
  }

  private static List<String> names() {
    return Arrays.stream(values()).map(Architecture::className).sorted().toList();
  }

  /** The name in {@code architectures}. */
  String className() {
    return className;
  }

  /** K where {@code num_key_value_heads} is absent altogether. */
  int defaultKeyValueHeads(int heads) {
    return defaultKeyValueHeads == 0 ? heads : defaultKeyValueHeads;
  }

  /** E where {@code head_dim} is absent; 0 if it is then D/H. */
  int defaultHeadSize() {
    return this == QWEN3 ? QWEN3_HEAD_SIZE : 0;
  }

  /** The end-of-sequence id where {@code eos_token_id} is absent; −1 for none. */
  int defaultEosTokenId() {
    return defaultEosTokenId;
  }

  /** Whether {@code attention_bias} is looked at; it then governs the output projection too. */
  boolean readsAttentionBias() {
    return this == LLAMA || this == QWEN3;
  }

  /** Whether query, key and value projections have biases whatever the configuration says. */
  boolean alwaysHasQueryBias() {
    return this == QWEN2;
  }

  /** Whether {@code mlp_bias} is looked at. */
  boolean readsMlpBias() {
    return this == LLAMA;
  }

  /** Whether each head's query and key pass an RMSNorm. */
  boolean normsQueryAndKey() {
    return this == QWEN3;
  }
}
