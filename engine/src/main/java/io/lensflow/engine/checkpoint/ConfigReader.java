package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;
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
 * Where a field is absent, the value is the one that transformers assumes for the architecture.
 */
final class ConfigReader {
  static final String CONFIG = "config.json";
  private static final String GENERATION_CONFIG = "generation_config.json";
  private static final double DEFAULT_RMS_NORM_EPS = 1e-6;

  private final ConfigFields config;
  private final ConfigFields generation;

  private ConfigReader(ConfigFields config, ConfigFields generation) {
    this.config = config;
    this.generation = generation;
  }

  static CheckpointConfig read(Path folder) throws CheckpointException {
    Path file = folder.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          folder.toAbsolutePath() + ": no config.json; give a checkpoint folder");
    }
    Path generation = folder.resolve(GENERATION_CONFIG);
    return new ConfigReader(
            ConfigFields.read(file),
            Files.isRegularFile(generation) ? ConfigFields.read(generation) : null)
        .read();
  }

  private CheckpointConfig read() throws CheckpointException {
    Architecture architecture = Architecture.of(config);
    refuseWhatIsNotComputed();
    int layers = config.positive("num_hidden_layers");
    int hiddenSize = config.positive("hidden_size");
    int heads = config.positive("num_attention_heads");
    int keyValueHeads = keyValueHeads(architecture, heads);
    SlidingWindow window = SlidingWindow.of(config, architecture, layers);
    ModelConfig model =
        new ModelConfig(
            architecture.className(),
            layers,
            hiddenSize,
            heads,
            keyValueHeads,
            headSize(architecture, hiddenSize, heads),
            config.positive("intermediate_size"),
            config.positive("vocab_size"),
            config.positive("max_position_embeddings"),
            config.positiveNumber("rms_norm_eps", DEFAULT_RMS_NORM_EPS),
            RopeReader.read(config),
            config.flag("tie_word_embeddings", false),
            eosTokenIds(architecture));
    return new CheckpointConfig(model, features(architecture), storage(), window);
  }

  private void refuseWhatIsNotComputed() throws CheckpointException {
    for (String field : new String[] {"quantization_config", "compression_config"}) {
      if (config.has(field)) {
        String method = config.node(field).path("quant_method").asText("");
        throw config.refused(
            "quantization",
            method.isEmpty() ? field : method,
            "unquantized F32, F16 and BF16 weights");
      }
    }
    String activation = config.text("hidden_act", "silu");
    if (!activation.equals("silu") && !activation.equals("swish")) {
      throw config.refused("hidden_act", activation, "silu");
    }
    if (!config.flag("is_causal", true)) {
      throw config.refused("is_causal", false, "true");
    }
  }

  private int keyValueHeads(Architecture architecture, int heads) throws CheckpointException {
    int fallback =
        config.isNull("num_key_value_heads") ? heads : architecture.defaultKeyValueHeads(heads);
    int keyValueHeads = config.positive("num_key_value_heads", fallback);
    if (heads % keyValueHeads != 0) {
      throw config.broken(
          "num_attention_heads %d is not a multiple of num_key_value_heads %d"
              .formatted(heads, keyValueHeads));
    }
    return keyValueHeads;
  }

  private int headSize(Architecture architecture, int hiddenSize, int heads)
      throws CheckpointException {
    int fallback = architecture.defaultHeadSize();
    if (fallback != 0 && config.isNull("head_dim")) {
      throw config.wrong("head_dim", "a positive integer");
    }
    if (fallback == 0 && !config.has("head_dim") && hiddenSize % heads != 0) {
      throw config.broken(
          "hidden_size is not a multiple of num_attention_heads, and head_dim is absent");
    }
    int headSize = config.positive("head_dim", fallback != 0 ? fallback : hiddenSize / heads);
    if (headSize % 2 != 0) {
      throw config.broken("head_dim is odd; rotary embedding needs halves");
    }
    return headSize;
  }

  private CheckpointConfig.Features features(Architecture architecture) throws CheckpointException {
    boolean attentionBias =
        architecture.readsAttentionBias() && config.flag("attention_bias", false);
    return new CheckpointConfig.Features(
        attentionBias || architecture.alwaysHasQueryBias(),
        attentionBias,
        architecture.readsMlpBias() && config.flag("mlp_bias", false),
        architecture.normsQueryAndKey());
  }

  private Set<Integer> eosTokenIds(Architecture architecture) throws CheckpointException {
    ConfigFields source =
        generation != null && generation.has("eos_token_id") ? generation : config;
    JsonNode ids = source.node("eos_token_id");
    Set<Integer> eos = new LinkedHashSet<>();
    if (ids.isArray()) {
      for (JsonNode id : ids) {
        eos.add(eosTokenId(source, id));
      }
    } else if (source.has("eos_token_id")) {
      eos.add(eosTokenId(source, ids));
    } else if (ids.isMissingNode() && architecture.defaultEosTokenId() >= 0) {
      eos.add(architecture.defaultEosTokenId());
    }
    return eos;
  }

  private static int eosTokenId(ConfigFields source, JsonNode id) throws CheckpointException {
    if (!id.isIntegralNumber() || !id.canConvertToInt()) {
      throw source.wrong("eos_token_id", "an id or a list of ids");
    }
    return id.intValue();
  }

  /** The declared dtype; null if none is declared. */
  private DType storage() throws CheckpointException {
    String name = config.text("dtype", config.text("torch_dtype", null));
    if (name == null) {
      return null;
    }
    return switch (name.startsWith("torch.") ? name.substring("torch.".length()) : name) {
      case "float32" -> DType.FLOAT32;
      case "float16" -> DType.FLOAT16;
      case "bfloat16" -> DType.BFLOAT16;
      default -> throw config.refused("dtype", name, "float32, float16, bfloat16");
    };
  }
}
