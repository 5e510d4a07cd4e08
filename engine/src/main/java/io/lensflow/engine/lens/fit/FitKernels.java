package io.lensflow.engine.lens.fit;

import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.Tensor;

/**
 * The kernels of the fit, typed. Source and shapes: {@code fit.py}.
 *
 * <p>Not thread-safe.
 */
final class FitKernels implements AutoCloseable {
  private final KernelModule module = new KernelModule(FitKernels.class, "fit.py");

  /** Means of x and of y − x, float32 [D] each. */
  Tensor[] origin(Tensor x, Tensor y) {
    return module.tensors("origin", x, y);
  }

  /** Zeros, float64. */
  Tensor zeros(long... shape) {
    try (Argument sizes = Argument.of(shape)) {
      return module.tensor("zeros", sizes);
    }
  }

  /** Adds a block of rows to a layer's sums. */
  void add(Tensor x, Tensor y, LayerSums.State sums, Tensor scratch) {
    module.call(
        "add",
        x,
        y,
        sums.originX(),
        sums.originR(),
        sums.gram(),
        sums.cross(),
        sums.sumX(),
        sums.sumR(),
        scratch);
  }

  /** Mean variance of a layer's rows, times n. */
  double spread(LayerSums.State sums, long n) {
    try (Tensor spread = module.tensor("spread", sums.gram(), sums.sumX(), n)) {
      return spread.bytes().getDouble(0);
    }
  }

  /** W [D, D], b [D] and the mean of y − x [D], float32. */
  Tensor[] solve(LayerSums.State sums, long n, double ridge) {
    return module.tensors(
        "solve",
        sums.gram(),
        sums.cross(),
        sums.sumX(),
        sums.sumR(),
        sums.originX(),
        sums.originR(),
        n,
        ridge);
  }

  /** x + b, float32. */
  Tensor shifted(Tensor x, Tensor b) {
    return module.tensor("shifted", x, b);
  }

  /** Adds the model's probabilities at rows [n, D] to a total [V], float64. */
  void addModel(Tensor x, Tensor norm, Tensor head, double eps, Tensor total) {
    module.call("add_model", x, norm, head, eps, total);
  }

  /** Logarithm of the mean distribution, float32 [V]. */
  Tensor logMean(Tensor total, long n) {
    return module.tensor("log_mean", total, n);
  }

  /** KL(model ‖ q) at rows [n, D]; float32 [n]. */
  Tensor distance(Tensor x, Tensor norm, Tensor head, double eps, Tensor logQ) {
    return module.tensor("distance", x, norm, head, eps, logQ);
  }

  /** Index of the greatest. */
  int top(Tensor logQ) {
    try (Tensor at = module.tensor("top", logQ)) {
      return (int) at.bytes().getLong(0);
    }
  }

  @Override
  public void close() {
    module.close();
  }
}
