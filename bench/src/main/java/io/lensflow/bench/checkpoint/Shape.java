package io.lensflow.bench.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Shapes of Llama models that random checkpoints can have; heads are tied to the embedding, weights
 * bfloat16.
 */
public enum Shape {
  /** Of Llama-3.2-1B: 2.5 GB. */
  LLAMA_3_2_1B("llama-3.2-1b", 16, 2048, 32, 8, 64, 8192, 128_256, 131_072, 500_000, true),
  /** Of SmolLM2-135M: 270 MB. */
  SMOLLM2_135M("smollm2-135m", 30, 576, 9, 3, 64, 1536, 49_152, 8192, 100_000, false),
  /** As large as SmolLM2-135M, with heads that 2 and 4 ranks can share. */
  TP_135M("tp-135m", 30, 576, 8, 4, 64, 1536, 49_152, 8192, 100_000, false),
  /** For tests: 0.3 MB. */
  TINY("tiny", 3, 64, 4, 2, 16, 128, 384, 2048, 10_000, false);

  private static final int BOS = 0;
  private static final int EOS = 1;

  private final String id;
  private final int layers;
  private final int hiddenSize;
  private final int heads;
  private final int keyValueHeads;
  private final int headSize;
  private final int mlpSize;
  private final int vocabularySize;
  private final int maxPositions;
  private final double ropeTheta;
  private final boolean llama3Rope;

  Shape(
      String id,
      int layers,
      int hiddenSize,
      int heads,
      int keyValueHeads,
      int headSize,
      int mlpSize,
      int vocabularySize,
      int maxPositions,
      double ropeTheta,
      boolean llama3Rope) {
    this.id = id;
    this.layers = layers;
    this.hiddenSize = hiddenSize;
    this.heads = heads;
    this.keyValueHeads = keyValueHeads;
    this.headSize = headSize;
    this.mlpSize = mlpSize;
    this.vocabularySize = vocabularySize;
    this.maxPositions = maxPositions;
    this.ropeTheta = ropeTheta;
    this.llama3Rope = llama3Rope;
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return id;
  }

  int layers() {
    return layers;
  }

  int vocabularySize() {
    return vocabularySize;
  }

  /** {@code config.json}. */
  ObjectNode config() {
    ObjectNode config = new ObjectMapper().createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config
        .put("model_type", "llama")
        .put("hidden_act", "silu")
        .put("hidden_size", hiddenSize)
        .put("intermediate_size", mlpSize)
        .put("num_hidden_layers", layers)
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", keyValueHeads)
        .put("head_dim", headSize)
        .put("vocab_size", vocabularySize)
        .put("max_position_embeddings", maxPositions)
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", ropeTheta)
        .put("attention_bias", false)
        .put("mlp_bias", false)
        .put("tie_word_embeddings", true)
        .put("bos_token_id", BOS)
        .put("eos_token_id", EOS)
        .put("torch_dtype", "bfloat16");
    if (llama3Rope) {
      config
          .putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", 32.0)
          .put("low_freq_factor", 1.0)
          .put("high_freq_factor", 4.0)
          .put("original_max_position_embeddings", 8192);
    }
    return config;
  }

  /** All tensors in the order of the file, with their shapes. */
  Map<String, long[]> tensors() {
    long d = hiddenSize;
    long q = (long) heads * headSize;
    long kv = (long) keyValueHeads * headSize;
    long f = mlpSize;
    Map<String, long[]> tensors = new LinkedHashMap<>();
    tensors.put("model.embed_tokens.weight", new long[] {vocabularySize, d});
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      tensors.put(prefix + "input_layernorm.weight", new long[] {d});
      tensors.put(prefix + "self_attn.q_proj.weight", new long[] {q, d});
      tensors.put(prefix + "self_attn.k_proj.weight", new long[] {kv, d});
      tensors.put(prefix + "self_attn.v_proj.weight", new long[] {kv, d});
      tensors.put(prefix + "self_attn.o_proj.weight", new long[] {d, q});
      tensors.put(prefix + "post_attention_layernorm.weight", new long[] {d});
      tensors.put(prefix + "mlp.gate_proj.weight", new long[] {f, d});
      tensors.put(prefix + "mlp.up_proj.weight", new long[] {f, d});
      tensors.put(prefix + "mlp.down_proj.weight", new long[] {d, f});
    }
    tensors.put("model.norm.weight", new long[] {d});
    return tensors;
  }
}
