package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Reads {@code config.json}, in the layouts of older transformers ({@code rope_theta} and {@code
 * rope_scaling}, {@code torch_dtype}) and newer ones ({@code rope_parameters}, {@code dtype}), and
 * the end-of-sequence ids of {@code generation_config.json}.
 *
 * <p>What the kernels do not compute is refused by name: a model is never silently approximated.
 */
final class ConfigReader {
  static final String CONFIG = "config.json";
  private static final String GENERATION_CONFIG = "generation_config.json";
  private static final Set<String> ARCHITECTURES =
      Set.of("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM");
  private static final double DEFAULT_ROPE_THETA = 10_000;

  private final Path file;
  private final JsonNode config;

  private ConfigReader(Path file, JsonNode config) {
    this.file = file;
    this.config = config;
  }

  static CheckpointConfig read(Path folder) throws IOException {
    Path file = folder.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          folder.toAbsolutePath() + ": no config.json; give a checkpoint folder");
    }
    JsonNode generation = null;
    Path generationFile = folder.resolve(GENERATION_CONFIG);
    if (Files.isRegularFile(generationFile)) {
      generation = parse(generationFile);
    }
    return new ConfigReader(file, parse(file)).read(generation);
  }

  private static JsonNode parse(Path file) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "%s: not JSON: %s".formatted(file.toAbsolutePath(), e.getOriginalMessage()), e);
    }
    if (!root.isObject()) {
      throw new CheckpointException(file.toAbsolutePath() + ": not a JSON object");
    }
    return root;
  }

  private CheckpointConfig read(JsonNode generation) throws CheckpointException {
    String architecture = config.path("architectures").path(0).asText("");
    if (!ARCHITECTURES.contains(architecture)) {
      throw refused("architecture", architecture, ARCHITECTURES.stream().sorted().toList());
    }
    if (config.hasNonNull("quantization_config")) {
      throw refused(
          "quantization",
          config.path("quantization_config").path("quant_method").asText("unnamed"),
          "unquantized F32, F16 and BF16 weights");
    }
    String activation = text("hidden_act", "silu");
    if (!activation.equals("silu")) {
      throw refused("hidden_act", activation, "silu");
    }
    int hiddenSize = positive("hidden_size");
    int heads = positive("num_attention_heads");
    int keyValueHeads =
        config.hasNonNull("num_key_value_heads") ? positive("num_key_value_heads") : heads;
    if (heads % keyValueHeads != 0) {
      throw broken("num_attention_heads is not a multiple of num_key_value_heads");
    }
    if (!config.hasNonNull("head_dim") && hiddenSize % heads != 0) {
      throw broken("hidden_size is not a multiple of num_attention_heads, and head_dim is absent");
    }
    int headSize = config.hasNonNull("head_dim") ? positive("head_dim") : hiddenSize / heads;
    if (headSize % 2 != 0) {
      throw broken("head_dim is odd; rotary embedding needs halves");
    }
    boolean qwen2 = architecture.equals("Qwen2ForCausalLM");
    boolean attentionBias = qwen2 || flag("attention_bias", false);
    ModelConfig model =
        new ModelConfig(
            architecture,
            positive("num_hidden_layers"),
            hiddenSize,
            heads,
            keyValueHeads,
            headSize,
            positive("intermediate_size"),
            positive("vocab_size"),
            context(),
            number("rms_norm_eps", config, null),
            rope(),
            flag("tie_word_embeddings", false),
            eosTokenIds(generation));
    return new CheckpointConfig(
        model,
        new CheckpointConfig.Features(
            attentionBias,
            attentionBias && !qwen2,
            flag("mlp_bias", false),
            architecture.equals("Qwen3ForCausalLM")),
        storage());
  }

  /**
   * The context length. Attention runs over all tokens, which equals a sliding window as long as no
   * sequence outgrows it: so a window shortens the context.
   */
  private int context() throws CheckpointException {
    int positions = positive("max_position_embeddings");
    boolean windowed = config.hasNonNull("sliding_window") && flag("use_sliding_window", true);
    return windowed ? Math.min(positions, positive("sliding_window")) : positions;
  }

  private RopeConfig rope() throws CheckpointException {
    boolean newLayout = config.hasNonNull("rope_parameters");
    JsonNode scaling = config.path(newLayout ? "rope_parameters" : "rope_scaling");
    double theta = number("rope_theta", newLayout ? scaling : config, DEFAULT_ROPE_THETA);
    if (!scaling.isObject()) {
      return new RopeConfig(theta, null);
    }
    if (config.path("partial_rotary_factor").asDouble(1) != 1
        || scaling.path("partial_rotary_factor").asDouble(1) != 1) {
      throw refused("partial_rotary_factor", "other than 1", "1");
    }
    String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    return switch (type) {
      case "default" -> new RopeConfig(theta, null);
      case "llama3" ->
          new RopeConfig(
              theta,
              new RopeConfig.Llama3Scaling(
                  number("factor", scaling, null),
                  number("low_freq_factor", scaling, null),
                  number("high_freq_factor", scaling, null),
                  (int) number("original_max_position_embeddings", scaling, null)));
      default -> throw refused("rope_type", type, "default, llama3");
    };
  }

  private Set<Integer> eosTokenIds(JsonNode generation) throws CheckpointException {
    JsonNode ids =
        generation != null && generation.hasNonNull("eos_token_id")
            ? generation.get("eos_token_id")
            : config.path("eos_token_id");
    Set<Integer> eos = new LinkedHashSet<>();
    if (ids.isArray()) {
      for (JsonNode id : ids) {
        eos.add(eosTokenId(id));
      }
    } else if (!ids.isNull() && !ids.isMissingNode()) {
      eos.add(eosTokenId(ids));
    }
    return eos;
  }

  private int eosTokenId(JsonNode id) throws CheckpointException {
    if (!id.canConvertToInt() || !id.isIntegralNumber()) {
      throw broken("eos_token_id is " + id);
    }
    return id.intValue();
  }

  private DType storage() throws CheckpointException {
    String name = text("dtype", text("torch_dtype", "float32"));
    return switch (name.replace("torch.", "")) {
      case "float32" -> DType.FLOAT32;
      case "float16" -> DType.FLOAT16;
      case "bfloat16" -> DType.BFLOAT16;
      default -> throw refused("dtype", name, "float32, float16, bfloat16");
    };
  }

  private String text(String field, String fallback) {
    return config.hasNonNull(field) ? config.get(field).asText() : fallback;
  }

  private boolean flag(String field, boolean fallback) throws CheckpointException {
    JsonNode node = config.path(field);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (!node.isBoolean()) {
      throw broken("%s is %s, neither true nor false".formatted(field, node));
    }
    return node.booleanValue();
  }

  private int positive(String field) throws CheckpointException {
    JsonNode node = config.path(field);
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
      throw broken(
          "%s is %s; it must be a positive integer"
              .formatted(field, node.isMissingNode() ? "absent" : node));
    }
    return node.intValue();
  }

  private double number(String field, JsonNode from, Double fallback) throws CheckpointException {
    JsonNode node = from.path(field);
    if ((node.isMissingNode() || node.isNull()) && fallback != null) {
      return fallback;
    }
    if (!node.isNumber() || !(node.doubleValue() > 0) || Double.isInfinite(node.doubleValue())) {
      throw broken(
          "%s is %s; it must be a positive number"
              .formatted(field, node.isMissingNode() ? "absent" : node));
    }
    return node.doubleValue();
  }

  private CheckpointException broken(String what) {
    return new CheckpointException(file.toAbsolutePath() + ": " + what);
  }

  private CheckpointException refused(String field, String value, Object supported) {
    return broken("%s '%s' is not supported; supported: %s".formatted(field, value, supported));
  }
}
