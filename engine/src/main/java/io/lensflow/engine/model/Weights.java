package io.lensflow.engine.model;

import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import java.util.List;

/**
 * What a model has learned, in native memory.
 *
 * @param embedding [V, D]
 * @param layers per layer the tensors that {@code block} in {@code transformer.py} lists
 * @param finalNorm [D], float32
 * @param head [V, D], possibly packed
 * @param headTable [V, D], the same, plain; the embedding if the head is tied to it
 * @param frequencies inverse rotary frequencies [E/2], float32
 * @param none an empty tensor, for a bias that a model does not have
 * @param vocabularySize V
 */
record Weights(
    Tensor embedding,
    List<Argument> layers,
    Tensor finalNorm,
    Tensor head,
    Tensor headTable,
    Tensor frequencies,
    Tensor none,
    int vocabularySize)
    implements AutoCloseable {
  @Override
  public void close() {
    embedding.close();
    layers.forEach(Argument::close);
    finalNorm.close();
    head.close();
    headTable.close();
    frequencies.close();
    none.close();
  }
}
