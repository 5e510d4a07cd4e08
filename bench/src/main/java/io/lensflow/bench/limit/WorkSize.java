package io.lensflow.bench.limit;

import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;

/**
 * How many bytes a step has to read and how many operations it has to do, from a model's shape.
 *
 * <p>Linear parameters of a layer: D·(H+2K)·E for query, key and value, H·E·D for the output
 * projection, 3·D·F for the MLP; the head has V·D. A token takes two operations per parameter. Keys
 * and values: 2·K·E per layer and cached token. Not counted, because small beside it: norm weights,
 * biases, the rows of the embedding table, activations.
 *
 * @param config the model's shape
 * @param dtype of weights, keys and values
 */
public record WorkSize(ModelConfig config, DType dtype) {
  /** Linear parameters of one layer. */
  public long layerParameters() {
    long d = config.hiddenSize();
    long e = config.headSize();
    long projections = d * (config.heads() + 2L * config.keyValueHeads()) * e;
    long output = config.heads() * e * d;
    return projections + output + 3 * d * config.mlpSize();
  }

  /** Parameters of the head. */
  public long headParameters() {
    return (long) config.vocabularySize() * config.hiddenSize();
  }

  /** Bytes of all linear weights and the head: what every step reads. */
  public long weightBytes() {
    return (config.layers() * layerParameters() + headParameters()) * dtype.bytes();
  }

  /** Bytes of the keys and values of so many cached tokens, all layers. */
  public long keyValueBytes(long tokens) {
    return 2L
        * config.layers()
        * config.keyValueHeads()
        * config.headSize()
        * dtype.bytes()
        * tokens;
  }

  /** Operations of the linear layers for so many rows, of which {@code headRows} go to the head. */
  public double linearOperations(long rows, long headRows) {
    return 2.0 * (rows * config.layers() * layerParameters() + headRows * headParameters());
  }

  /** Bytes of the largest tensor as it is computed with: the head, or one matrix of the MLP. */
  public long largestTensorBytes() {
    long d = config.hiddenSize();
    return Math.max(headParameters(), d * config.mlpSize()) * dtype.bytes();
  }
}
