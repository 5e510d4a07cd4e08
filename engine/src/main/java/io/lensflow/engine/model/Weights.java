package io.lensflow.engine.model;

import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;

/**
 * A rank's share of what a model has learned, in native memory. V' is the rank's part of the
 * vocabulary, filled up with zeros to a multiple of {@link Shard#VOCABULARY_BLOCK}.
 *
 * @param embedding [V', D]
 * @param layers 12 tensors a layer, which {@code attention_half} in {@code transformer.py} lists
 * @param finalNorm [D], float32, times √D
 * @param floors √(D·ε) and √(E·ε), float32, for norms over D and over E
 * @param hiddenFloor the first of them
 * @param head [V', D], possibly packed
 * @param headTable [V', D], the same, plain; the embedding if the head is tied to it
 * @param frequencies inverse rotary frequencies [E/2], float32
 * @param none an empty tensor, for a bias that a model does not have
 * @param vocabulary which ids the rank holds
 * @param bytesRead what was read from files
 * @param bytesHeld what all this takes in memory, packed and plain copies both counted
 */
record Weights(
    Tensor embedding,
    Argument layers,
    Tensor finalNorm,
    Argument floors,
    Tensor hiddenFloor,
    Tensor head,
    Tensor headTable,
    Tensor frequencies,
    Tensor none,
    Shard.Range vocabulary,
    long bytesRead,
    long bytesHeld)
    implements AutoCloseable {
  @Override
  public void close() {
    embedding.close();
    layers.close();
    finalNorm.close();
    floors.close();
    hiddenFloor.close();
    head.close();
    headTable.close();
    frequencies.close();
    none.close();
  }
}
