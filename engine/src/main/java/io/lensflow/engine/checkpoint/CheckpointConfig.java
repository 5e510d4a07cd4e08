package io.lensflow.engine.checkpoint;

import io.lensflow.engine.DType;
import io.lensflow.engine.model.ModelConfig;

/**
 * All that the loader needs to know of a checkpoint before it reads weights.
 *
 * @param model shape and constants
 * @param features what differs between the architectures
 * @param storage the dtype that the configuration declares for the weights
 */
public record CheckpointConfig(ModelConfig model, Features features, DType storage) {
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
}
