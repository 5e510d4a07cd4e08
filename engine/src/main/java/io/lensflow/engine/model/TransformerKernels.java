package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.Tensor;
import java.util.List;

/**
 * The transformer's kernels, typed. Source and shapes: {@code transformer.py}.
 *
 * <p>Not thread-safe.
 */
final class TransformerKernels implements AutoCloseable {
  /** Logits of a row that are computed again in float32 after a product in bfloat16. */
  private static final int CANDIDATES = 16;

  private final KernelModule module = new KernelModule(TransformerKernels.class, "transformer.py");

  /** Packs a linear weight [out, in] for {@code rows} rows at a time. */
  Tensor pack(Tensor weight, int rows) {
    return module.tensor("pack", weight, rows);
  }

  /** x [N, in] · weight [out, in]ᵀ + bias. */
  Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return module.tensor("linear", x, weight, bias);
  }

  /** Rows of the embedding table [V, D]: [N, D]. */
  Tensor embed(Tensor table, Tensor ids) {
    return module.tensor("embed", table, ids);
  }

  /** Cosines and sines [N, 1, E] of positions [N]. */
  Argument rotation(Tensor positions, Tensor frequencies) {
    Tensor[] pair = module.tensors("rotation", positions, frequencies);
    try (Tensor cos = pair[0];
        Tensor sin = pair[1]) {
      return Argument.of(List.of(cos, sin));
    }
  }

  /** The additive mask [t, s] of t new tokens that end a sequence of s. */
  Tensor causalMask(int t, int s, DType dtype) {
    return module.tensor("causal_mask", t, s, dtype.scalarType());
  }

  /** One block: x [N, D] to [N, D]; writes keys and values, steers and captures. */
  Tensor block(
      Tensor x, Argument weights, Argument cache, double eps, StepArguments step, Taps taps) {
    return module.tensor(
        "block",
        x,
        weights,
        cache,
        eps,
        step.rotation(),
        step.poolRows(),
        step.spans(),
        step.masks(),
        taps.slots(),
        taps.stages(),
        taps.edits(),
        taps.multipliers(),
        taps.rows(),
        taps.vectors());
  }

  /** Float32 logits [M, V] of M of the rows x [N, D]. */
  Tensor head(Tensor x, Tensor rows, double eps, Weights weights) {
    return module.tensor(
        "head",
        x,
        rows,
        weights.finalNorm(),
        eps,
        weights.head(),
        weights.headTable(),
        weights.none(),
        Math.min(CANDIDATES, weights.vocabularySize()));
  }

  /** What every block of a step is given. */
  record StepArguments(Argument rotation, Tensor poolRows, Argument spans, Argument masks) {}

  /** What one block of a step sets aside and steers. */
  record Taps(
      Argument slots,
      Argument stages,
      Argument edits,
      Argument multipliers,
      Argument rows,
      Argument vectors) {}

  @Override
  public void close() {
    module.close();
  }
}
