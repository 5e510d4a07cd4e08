package io.lensflow.engine.lens;

import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.Tensor;

/**
 * The lens head's kernels, typed. Source and shapes: {@code lens.py}.
 *
 * <p>Not thread-safe.
 */
final class LensKernels implements AutoCloseable {
  private final KernelModule module = new KernelModule(LensKernels.class, "lens.py");

  /** RMSNorm of rows [n, D], in float32. */
  Tensor norm(Tensor rows, Tensor weight, double eps) {
    return module.tensor("norm", rows, weight, eps);
  }

  /** One block of the logits: greatest logits, their columns, and sums for the softmax. */
  Tensor[] block(Tensor x, Tensor head, int k, Tensor weight, Tensor logits, Tensor terms) {
    return module.tensors("block", x, head, k, weight, logits, terms);
  }

  @Override
  public void close() {
    module.close();
  }
}
