package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Writes small random Llama checkpoints for tests, and lets a test spoil them first. */
public final class CheckpointFolder {
  private static final int D = 16;
  private static final int F = 24;
  private static final int V = 48;
  private static final int LAYERS = 2;
  private static final int KEY_VALUE_SIZE = 8;

  private final Path folder;
  private final ObjectNode config = new ObjectMapper().createObjectNode();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, Float> constants = new HashMap<>();
  private final Map<String, String> types = new HashMap<>();

  /** A checkpoint of two layers, D = 16, two query heads and one key/value head, V = 48. */
  public CheckpointFolder(Path folder) {
    this.folder = folder;
    config.putArray("architectures").add("LlamaForCausalLM");
    config
        .put("hidden_size", D)
        .put("intermediate_size", F)
        .put("num_attention_heads", 2)
        .put("num_key_value_heads", 1)
        .put("num_hidden_layers", LAYERS)
        .put("vocab_size", V)
        .put("max_position_embeddings", 4096)
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10000.0)
        .put("hidden_act", "silu")
        .put("eos_token_id", 1)
        .put("tie_word_embeddings", false)
        .put("torch_dtype", "float32");
    shapes.put("model.embed_tokens.weight", new long[] {V, D});
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "model.layers." + layer + ".";
      shapes.put(prefix + "input_layernorm.weight", new long[] {D});
      shapes.put(prefix + "self_attn.q_proj.weight", new long[] {D, D});
      shapes.put(prefix + "self_attn.k_proj.weight", new long[] {KEY_VALUE_SIZE, D});
      shapes.put(prefix + "self_attn.v_proj.weight", new long[] {KEY_VALUE_SIZE, D});
      shapes.put(prefix + "self_attn.o_proj.weight", new long[] {D, D});
      shapes.put(prefix + "post_attention_layernorm.weight", new long[] {D});
      shapes.put(prefix + "mlp.gate_proj.weight", new long[] {F, D});
      shapes.put(prefix + "mlp.up_proj.weight", new long[] {F, D});
      shapes.put(prefix + "mlp.down_proj.weight", new long[] {D, F});
    }
    shapes.put("model.norm.weight", new long[] {D});
    shapes.put("lm_head.weight", new long[] {V, D});
  }

  /** {@code config.json}, to be changed before {@link #write}. */
  public ObjectNode config() {
    return config;
  }

  /** Names and shapes of the tensors, to be changed before {@link #write}. */
  public Map<String, long[]> shapes() {
    return shapes;
  }

  /** Gives all elements of a tensor one value; the others are random. */
  public CheckpointFolder constant(String name, float value) {
    constants.put(name, value);
    return this;
  }

  /**
   * Stores a tensor as zeros of another type.
   *
   * @param dtype safetensors name of a type of 1, 2, 4 or 8 bytes
   */
  public CheckpointFolder storedAs(String name, String dtype) {
    types.put(name, dtype);
    return this;
  }

  private static int elementBytes(String dtype) {
    return switch (dtype) {
      case "BF16", "F16" -> 2;
      case "F32" -> 4;
      case "F64", "I64" -> 8;
      default -> 1;
    };
  }

  /** Writes the checkpoint, with a tokenizer whose words are {@code w0} to {@code w47}. */
  public Path write() throws IOException {
    Files.writeString(folder.resolve("config.json"), config.toString());
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
    SafetensorsWriter writer = new SafetensorsWriter();
    Random random = new Random(7);
    for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
      int count = 1;
      for (long size : entry.getValue()) {
        count *= (int) size;
      }
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < count; i++) {
        float value = (float) random.nextGaussian() * 0.3f;
        bytes.putFloat(constants.getOrDefault(entry.getKey(), value));
      }
      String dtype = types.getOrDefault(entry.getKey(), "F32");
      ByteBuffer stored =
          dtype.equals("F32") ? bytes.flip() : ByteBuffer.allocate(count * elementBytes(dtype));
      writer.add(entry.getKey(), dtype, entry.getValue(), List.of(stored));
    }
    writer.write(folder.resolve("model.safetensors"), Map.of("format", "pt"));
    return folder;
  }

  private static String tokenizer() {
    ObjectNode root = new ObjectMapper().createObjectNode().put("version", "1.0");
    root.putArray("added_tokens");
    root.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    ObjectNode model = root.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    ObjectNode vocabulary = model.putObject("vocab");
    for (int id = 0; id < V; id++) {
      vocabulary.put("w" + id, id);
    }
    return root.toString();
  }
}
