package io.lensflow.engine.checkpoint;

import io.lensflow.engine.model.ModelConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The tensors that a configuration asks for, held against those that the files have. */
final class TensorLayout {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String HEAD = "lm_head.weight";

  /** Constants that older checkpoints carry along; the engine computes them. */
  private static final String ROTARY_BUFFER = ".self_attn.rotary_emb.inv_freq";

  private static final String LAYERS = "model.layers.";

  private final Checkpoint checkpoint;
  private final ModelConfig model;
  private final CheckpointConfig.Features features;
  private final Set<String> expected = new HashSet<>();

  private TensorLayout(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    this.model = checkpoint.config().model();
    this.features = checkpoint.config().features();
  }

  /**
   * Checks that every tensor of the model is there, in its shape and in a type that can be read,
   * and that no tensor is left out that belongs to a part of the model: a bias, say, that the
   * configuration denies.
   *
   * @return names of tensors that belong to nothing in this model, such as other heads
   * @throws CheckpointException names the tensor
   */
  static List<String> check(Checkpoint checkpoint) throws CheckpointException {
    TensorLayout layout = new TensorLayout(checkpoint);
    layout.expectAll();
    return layout.strangers();
  }

  private void expectAll() throws CheckpointException {
    long v = model.vocabularySize();
    long d = model.hiddenSize();
    expect(EMBEDDING, v, d);
    expect("model.norm.weight", d);
    if (!model.tiedHead()) {
      expect(HEAD, v, d);
    }
    for (int layer = 0; layer < model.layers(); layer++) {
      expectLayer(LAYERS + layer + ".");
    }
  }

  private void expectLayer(String layer) throws CheckpointException {
    long d = model.hiddenSize();
    long e = model.headSize();
    long q = model.heads() * e;
    long kv = model.keyValueHeads() * e;
    long f = model.mlpSize();
    boolean qkvBias = features.attentionBias();
    boolean mlpBias = features.mlpBias();
    expect(layer + "input_layernorm.weight", d);
    expectLinear(layer + "self_attn.q_proj", q, d, qkvBias);
    expectLinear(layer + "self_attn.k_proj", kv, d, qkvBias);
    expectLinear(layer + "self_attn.v_proj", kv, d, qkvBias);
    expectLinear(layer + "self_attn.o_proj", d, q, features.outputBias());
    if (features.queryKeyNorm()) {
      expect(layer + "self_attn.q_norm.weight", e);
      expect(layer + "self_attn.k_norm.weight", e);
    }
    expect(layer + "post_attention_layernorm.weight", d);
    expectLinear(layer + "mlp.gate_proj", f, d, mlpBias);
    expectLinear(layer + "mlp.up_proj", f, d, mlpBias);
    expectLinear(layer + "mlp.down_proj", d, f, mlpBias);
  }

  private void expectLinear(String module, long out, long in, boolean bias)
      throws CheckpointException {
    expect(module + ".weight", out, in);
    if (bias) {
      expect(module + ".bias", out);
    }
  }

  private void expect(String name, long... shape) throws CheckpointException {
    checkpoint.tensor(name, shape);
    // Throws where the type is none that can be read.
    checkpoint.storedType(name);
    expected.add(name);
  }

  private List<String> strangers() throws CheckpointException {
    Set<String> modules = new HashSet<>();
    expected.forEach(name -> modules.add(module(name)));
    List<String> strangers =
        checkpoint.tensorNames().stream()
            .filter(name -> !expected.contains(name) && !name.endsWith(ROTARY_BUFFER))
            .sorted()
            .toList();
    for (String name : strangers) {
      if (modules.contains(module(name)) || isInALayer(name)) {
        throw checkpoint.wrongTensor(
            name,
            "is not part of a %s as config.json describes it, and would be left out"
                .formatted(model.architecture()));
      }
    }
    return strangers;
  }

  private static String module(String name) {
    return name.substring(0, Math.max(0, name.lastIndexOf('.')));
  }

  private boolean isInALayer(String name) {
    if (!name.startsWith(LAYERS)) {
      return false;
    }
    String rest = name.substring(LAYERS.length());
    String number = rest.substring(0, Math.max(0, rest.indexOf('.')));
    return expected.contains(LAYERS + number + ".input_layernorm.weight");
  }
}
