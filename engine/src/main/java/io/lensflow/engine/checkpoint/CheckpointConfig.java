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
 * @param positions {@code max_position_embeddings}; the model's context is shorter where a window
 *     is, as attention beyond a window is not computed
 */
public record CheckpointConfig(
    ModelConfig model, Features features, DType storage, SlidingWindow window, int positions) {
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

  /** Why a sequence cannot be longer than the model's context, for an error that says so. */
  public String contextReason() {
    if (model.maxPositions() == positions) {
      return "max_position_embeddings is %d".formatted(positions);
    }
    return ("the checkpoint's attention has a sliding window of %d tokens, and longer sequences are"
            + " refused rather than computed without it (max_position_embeddings is %d)")
        .formatted(window.size(), positions);
  }

  CheckpointConfig withStorage(DType other) {
    return new CheckpointConfig(model, features, other, window, positions);
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
    return new CheckpointConfig(untied, features, storage, window, positions);
  }
}
