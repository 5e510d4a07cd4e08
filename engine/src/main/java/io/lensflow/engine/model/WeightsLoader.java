package io.lensflow.engine.model;

import ai.djl.engine.EngineException;
import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.CheckpointConfig.Features;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a checkpoint's weights. Projections that read the same rows are fused (query, key and
 * value; gate and up) by reading them into slices of one tensor.
 *
 * <p>On the CPU, linear weights are packed for oneDNN, which halves the time of a decode step; the
 * plain copy is freed at once. The embedding table stays plain, since it is read by row: with a
 * tied head the table is therefore held twice.
 */
final class WeightsLoader {
  /** For how many rows at a time weights are packed; the layout serves other counts as well. */
  private static final int PACKED_FOR_ROWS = 16;

  private static final int TRIAL_SIZE = 16;
  private static final Logger log = LoggerFactory.getLogger(WeightsLoader.class);

  private final ModelConfig config;
  private final Features features;
  private final DType dtype;
  private final TensorKernels tensors;
  private final TransformerKernels kernels;
  private final TensorReader reader;
  private final boolean packs;

  /** Everything read so far: freed if a later tensor cannot be read. */
  private final List<AutoCloseable> loaded = new ArrayList<>();

  WeightsLoader(
      Checkpoint checkpoint, DType dtype, TensorKernels tensors, TransformerKernels kernels) {
    this.config = checkpoint.config().model();
    this.features = checkpoint.config().features();
    this.dtype = dtype;
    this.tensors = tensors;
    this.kernels = kernels;
    this.reader = new TensorReader(checkpoint, tensors);
    this.packs = tryPacking();
  }

  Weights load() throws IOException {
    try {
      return read();
    } catch (IOException | RuntimeException | Error e) {
      for (AutoCloseable resource : loaded) {
        try {
          resource.close();
        } catch (Exception suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw e;
    }
  }

  private Weights read() throws IOException {
    long v = config.vocabularySize();
    long d = config.hiddenSize();
    Tensor none = keep(tensors.empty(DType.FLOAT32, 0));
    Tensor embedding = keep(reader.read("model.embed_tokens.weight", dtype, v, d));
    Tensor finalNorm = keep(reader.read("model.norm.weight", DType.FLOAT32, d));
    Tensor headTable =
        config.tiedHead() ? embedding : keep(reader.read("lm_head.weight", dtype, v, d));
    Tensor head = packs ? keep(kernels.pack(headTable, PACKED_FOR_ROWS)) : headTable;
    List<Argument> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(keep(layer("model.layers." + layer + ".", none)));
    }
    Tensor frequencies =
        keep(tensors.floats(RotaryFrequencies.of(config.rope(), config.headSize())));
    return new Weights(
        embedding,
        List.copyOf(layers),
        finalNorm,
        head,
        headTable,
        frequencies,
        none,
        config.vocabularySize());
  }

  private <T extends AutoCloseable> T keep(T resource) {
    loaded.add(resource);
    return resource;
  }

  /** One layer's tensors, in the order that {@code block} in {@code transformer.py} lists. */
  private Argument layer(String prefix, Tensor none) throws IOException {
    long d = config.hiddenSize();
    long e = config.headSize();
    long q = config.heads() * e;
    long kv = config.keyValueHeads() * e;
    long f = config.mlpSize();
    String attention = prefix + "self_attn.";
    String mlp = prefix + "mlp.";
    List<Tensor> own = new ArrayList<>();
    try {
      own.add(reader.read(prefix + "input_layernorm.weight", DType.FLOAT32, d));
      own.add(
          packed(
              fused(
                  d,
                  new Part(attention + "q_proj.weight", q),
                  new Part(attention + "k_proj.weight", kv),
                  new Part(attention + "v_proj.weight", kv))));
      own.add(
          features.attentionBias()
              ? fused(
                  0,
                  new Part(attention + "q_proj.bias", q),
                  new Part(attention + "k_proj.bias", kv),
                  new Part(attention + "v_proj.bias", kv))
              : none);
      boolean normed = features.queryKeyNorm();
      own.add(normed ? reader.read(attention + "q_norm.weight", DType.FLOAT32, e) : none);
      own.add(normed ? reader.read(attention + "k_norm.weight", DType.FLOAT32, e) : none);
      own.add(packed(reader.read(attention + "o_proj.weight", dtype, d, q)));
      own.add(features.outputBias() ? reader.read(attention + "o_proj.bias", dtype, d) : none);
      own.add(reader.read(prefix + "post_attention_layernorm.weight", DType.FLOAT32, d));
      own.add(
          packed(
              fused(
                  d, new Part(mlp + "gate_proj.weight", f), new Part(mlp + "up_proj.weight", f))));
      own.add(
          features.mlpBias()
              ? fused(0, new Part(mlp + "gate_proj.bias", f), new Part(mlp + "up_proj.bias", f))
              : none);
      own.add(packed(reader.read(mlp + "down_proj.weight", dtype, d, f)));
      own.add(features.mlpBias() ? reader.read(mlp + "down_proj.bias", dtype, d) : none);
      return Argument.of(own);
    } finally {
      own.stream().filter(tensor -> tensor != none).forEach(Tensor::close);
    }
  }

  private record Part(String name, long rows) {}

  /** Stacks tensors of {@code width} columns; a width of 0 stands for vectors. */
  private Tensor fused(long width, Part... parts) throws IOException {
    long rows = 0;
    for (Part part : parts) {
      rows += part.rows;
    }
    Tensor target = width == 0 ? tensors.empty(dtype, rows) : tensors.empty(dtype, rows, width);
    try {
      long at = 0;
      for (Part part : parts) {
        long[] shape = width == 0 ? new long[] {part.rows} : new long[] {part.rows, width};
        reader.readInto(target, at, part.name, dtype, shape);
        at += part.rows;
      }
      return target;
    } catch (IOException | RuntimeException e) {
      target.close();
      throw e;
    }
  }

  private Tensor packed(Tensor weight) {
    if (!packs) {
      return weight;
    }
    try (weight) {
      return kernels.pack(weight, PACKED_FOR_ROWS);
    }
  }

  /** Whether oneDNN has packed linears for the dtype on this processor: tried on a tiny one. */
  private boolean tryPacking() {
    try (Tensor weight = tensors.empty(dtype, TRIAL_SIZE, TRIAL_SIZE);
        Tensor none = tensors.empty(DType.FLOAT32, 0);
        Tensor packed = kernels.pack(weight, PACKED_FOR_ROWS)) {
      kernels.linear(weight, packed, none).close();
      return true;
    } catch (EngineException e) {
      log.info("linear weights stay plain: this processor has no packed ones of {}", dtype);
      log.debug("the trial said", e);
      return false;
    }
  }
}
