package io.lensflow.engine.model;

import ai.djl.engine.EngineException;
import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.CheckpointConfig.Features;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.checkpoint.TensorReader.Part;
import io.lensflow.engine.model.Shard.Range;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a rank's share of a checkpoint's weights, and no byte of the others'. Projections that read
 * the same rows are fused (query, key and value; gate and up) by reading them into slices of one
 * tensor.
 *
 * <p>On the CPU, linear weights are packed for oneDNN, which halves the time of a decode step; the
 * plain copy is freed at once. The embedding table stays plain, since it is read by row, and so
 * does the head's, whose rows correct its product: embedding and head are held as one plain table
 * if tied, else two, and a packed head.
 *
 * <p>Queries and keys are stored with the two dimensions that rotary embedding turns together side
 * by side, (0, E/2, 1, E/2+1, …), so that a rotation is one complex product. Their dot products do
 * not depend on the order.
 */
final class WeightsLoader {
  /** For how many rows at a time weights are packed; the layout serves other counts as well. */
  private static final int PACKED_FOR_ROWS = 16;

  private static final int TRIAL_SIZE = 16;
  private static final Logger log = LoggerFactory.getLogger(WeightsLoader.class);

  private final ModelConfig config;
  private final Features features;
  private final Shard shard;
  private final DType dtype;
  private final TensorKernels tensors;
  private final TransformerKernels kernels;
  private final TensorReader reader;
  private final boolean packs;
  private long bytesHeld;

  /** Everything read so far: freed if a later tensor cannot be read. */
  private final List<AutoCloseable> loaded = new ArrayList<>();

  /**
   * @param progress told how many more bytes were read
   */
  WeightsLoader(
      Checkpoint checkpoint,
      Shard shard,
      DType dtype,
      TensorKernels tensors,
      TransformerKernels kernels,
      LongConsumer progress) {
    this.config = checkpoint.config().model();
    this.features = checkpoint.config().features();
    this.shard = shard;
    this.dtype = dtype;
    this.tensors = tensors;
    this.kernels = kernels;
    this.reader = new TensorReader(checkpoint, tensors, progress);
    this.packs = tensors.onHost() && tryPacking();
  }

  /** Reads them. Called on the rank's own thread. */
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
    int d = config.hiddenSize();
    Range vocabulary = shard.vocabulary(config);
    Tensor none = keep(tensors.emptyOnDevice(DType.FLOAT32, 0));
    Tensor embedding = keep(table("model.embed_tokens.weight", vocabulary));
    Tensor finalNorm = keep(norm("model.norm.weight", d));
    Tensor headTable = config.tiedHead() ? embedding : keep(table("lm_head.weight", vocabulary));
    Tensor head = headTable;
    if (packs) {
      head = keep(kernels.pack(headTable, PACKED_FOR_ROWS));
      count((long) padded(vocabulary.count()) * d);
    }
    List<Tensor> layers = new ArrayList<>();
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        addLayer(layers, "model.layers." + layer + ".", none);
      }
      Tensor hiddenFloor = keep(floor(d));
      try (Tensor headFloor = floor(config.headSize())) {
        return new Weights(
            embedding,
            keep(Argument.of(layers)),
            finalNorm,
            keep(Argument.of(List.of(hiddenFloor, headFloor))),
            hiddenFloor,
            head,
            headTable,
            keep(tensors.floats(RotaryFrequencies.of(config.rope(), config.headSize()))),
            none,
            vocabulary,
            reader.bytesRead(),
            bytesHeld);
      }
    } finally {
      layers.stream().filter(tensor -> tensor != none).forEach(Tensor::close);
    }
  }

  private <T extends AutoCloseable> T keep(T resource) {
    loaded.add(resource);
    return resource;
  }

  private void count(long elements) {
    bytesHeld += elements * dtype.bytes();
  }

  /** One layer's tensors, in the order that {@code attention_half} in the kernels lists. */
  private void addLayer(List<Tensor> layer, String prefix, Tensor none) throws IOException {
    long d = config.hiddenSize();
    long f = config.mlpSize();
    long queries = (long) config.heads() * config.headSize();
    Range ownHeads = elements(shard.heads(config));
    Range ownMlp = shard.mlp(config);
    String attention = prefix + "self_attn.";
    String mlp = prefix + "mlp.";
    boolean normed = features.queryKeyNorm();
    layer.add(norm(prefix + "input_layernorm.weight", config.hiddenSize()));
    layer.add(packed(queryKeyValue(attention, "weight", d)));
    layer.add(features.attentionBias() ? queryKeyValue(attention, "bias", 0) : none);
    layer.add(normed ? headNorm(attention + "q_norm.weight") : none);
    layer.add(normed ? headNorm(attention + "k_norm.weight") : none);
    layer.add(
        packed(
            matrix(
                Part.columns(
                    attention + "o_proj.weight", ownHeads.first(), ownHeads.count(), d, queries))));
    layer.add(
        features.outputBias() && shard.first()
            ? matrix(Part.whole(attention + "o_proj.bias", d))
            : none);
    layer.add(norm(prefix + "post_attention_layernorm.weight", config.hiddenSize()));
    layer.add(packed(gateUp(mlp, "weight", ownMlp, f, d)));
    layer.add(features.mlpBias() ? gateUp(mlp, "bias", ownMlp, f) : none);
    layer.add(
        packed(
            matrix(Part.columns(mlp + "down_proj.weight", ownMlp.first(), ownMlp.count(), d, f))));
    layer.add(
        features.mlpBias() && shard.first() ? matrix(Part.whole(mlp + "down_proj.bias", d)) : none);
  }

  /** Heads as rows of a projection. */
  private Range elements(Range heads) {
    return new Range(heads.first() * config.headSize(), heads.count() * config.headSize());
  }

  private Tensor queryKeyValue(String prefix, String kind, long width) throws IOException {
    Range q = elements(shard.heads(config));
    Range kv = elements(shard.keyValueHeads(config));
    long allQ = (long) config.heads() * config.headSize();
    long allKv = (long) config.keyValueHeads() * config.headSize();
    long heads = shard.heads(config).count() + shard.keyValueHeads(config).count();
    Tensor plain =
        stacked(
            part(prefix + "q_proj." + kind, q, allQ, width),
            part(prefix + "k_proj." + kind, kv, allKv, width),
            part(prefix + "v_proj." + kind, kv, allKv, width));
    return tensors.onDevice(pairs(plain, (int) heads));
  }

  private Tensor gateUp(String prefix, String kind, Range own, long f, long... width)
      throws IOException {
    long columns = width.length == 0 ? 0 : width[0];
    return tensors.onDevice(
        stacked(
            part(prefix + "gate_proj." + kind, own, f, columns),
            part(prefix + "up_proj." + kind, own, f, columns)));
  }

  /** Some rows of a matrix, or of a vector where the width is 0. */
  private static Part part(String name, Range own, long rows, long width) {
    long[] shape = width == 0 ? new long[] {rows} : new long[] {rows, width};
    return Part.rows(name, own.first(), own.count(), shape);
  }

  private Tensor stacked(Part... parts) throws IOException {
    long rows = 0;
    for (Part part : parts) {
      rows += part.rows();
    }
    Part any = parts[0];
    Tensor target =
        any.shape().length == 1
            ? tensors.empty(dtype, rows)
            : tensors.empty(dtype, rows, any.columns());
    try {
      long at = 0;
      for (Part part : parts) {
        reader.readInto(target, at, dtype, part);
        at += part.rows();
      }
      count(rows * any.columns());
      return target;
    } catch (IOException | RuntimeException e) {
      target.close();
      throw e;
    }
  }

  private Tensor matrix(Part part) throws IOException {
    count(part.rows() * part.columns());
    return tensors.onDevice(reader.read(dtype, part));
  }

  /** This rank's rows of a table [V, D], filled up with zeros. */
  private Tensor table(String name, Range own) throws IOException {
    int d = config.hiddenSize();
    int rows = padded(own.count());
    Tensor table = tensors.empty(dtype, rows, d);
    try {
      reader.readInto(
          table, 0, dtype, Part.rows(name, own.first(), own.count(), config.vocabularySize(), d));
      try (Tensor rest = tensors.rows(table, own.count(), rows - own.count())) {
        tensors.clear(rest);
      }
      count((long) rows * d);
      return tensors.onDevice(table);
    } catch (IOException | RuntimeException e) {
      table.close();
      throw e;
    }
  }

  private static int padded(int rows) {
    int block = Shard.VOCABULARY_BLOCK;
    return Math.max(1, (rows + block - 1) / block) * block;
  }

  /** A norm's weight [size] times the root of its size, in float32, as the kernel wants it. */
  private Tensor norm(String name, int size) throws IOException {
    return tensors.onDevice(hostNorm(name, size));
  }

  private Tensor hostNorm(String name, int size) throws IOException {
    Tensor weight = reader.read(name, DType.FLOAT32, size);
    FloatBuffer values = weight.bytes().asFloatBuffer();
    double root = Math.sqrt(size);
    for (int i = 0; i < size; i++) {
      values.put(i, (float) (values.get(i) * root));
    }
    bytesHeld += (long) size * Float.BYTES;
    return weight;
  }

  private Tensor headNorm(String name) throws IOException {
    return tensors.onDevice(pairs(hostNorm(name, config.headSize()), 1));
  }

  private Tensor pairs(Tensor weight, int heads) {
    try (weight) {
      return kernels.pairs(weight, heads, config.headSize());
    }
  }

  private Tensor floor(int size) {
    return tensors.floats((float) Math.sqrt(size * config.rmsNormEps()));
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
