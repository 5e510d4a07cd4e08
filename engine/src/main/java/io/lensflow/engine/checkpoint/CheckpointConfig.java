package io.lensflow.engine.checkpoint;

import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;

/**
 * All that the loader needs to know of a checkpoint before it reads weights.
 *
 * @param model shape and constants
 * @param features what differs between the architectures
 * @param storage the dtype that the configuration declares for the weights; where it is silent, the
 *     one in which the embedding is stored
 * @param window the attention's sliding window; null if every layer sees everything
 */
public record CheckpointConfig(
    ModelConfig model, Features features, DType storage, SlidingWindow window) {
  /**
   * Parts that an architecture has or has not.
   *
   * @param attentionBias biases on the query, key and value projections
   * @param outputBias a bias on the attention's output projection
   * @param mlpBias biases in the MLP
   * @param queryKeyNorm RMSNorm over each head's query and key
   */
  public record Features(
      boolean attentionBias, boolean outputBias, boolean mlpBias, boolean queryKeyNorm) {}

  CheckpointConfig withStorage(DType other) {
    return new CheckpointConfig(model, features, other, window);
  }

  /** With a head of its own, whatever {@code tie_word_embeddings} says. */
  CheckpointConfig untied() {
    ModelConfig untied =
        new ModelConfig(
            model.architecture(),
            model.layers(),
            model.hiddenSize(),
            model.heads(),
            model.keyValueHeads(),
            model.headSize(),
            model.mlpSize(),
            model.vocabularySize(),
            model.maxPositions(),
            model.rmsNormEps(),
            model.rope(),
            false,
            model.eosTokenIds());
    return new CheckpointConfig(untied, features, storage, window);
  }
}
