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
 * @param frequencies inverse rotary frequencies [E/2], float32
 * @param none an empty tensor, for a bias that a model does not have
 */
record Weights(
    Tensor embedding,
    List<Argument> layers,
    Tensor finalNorm,
    Tensor head,
    Tensor frequencies,
    Tensor none)
    implements AutoCloseable {
  @Override
  public void close() {
    embedding.close();
    layers.forEach(Argument::close);
    finalNorm.close();
    head.close();
    frequencies.close();
    none.close();
  }
}
