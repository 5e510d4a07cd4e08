package io.lensflow.engine.torch;

import io.lensflow.engine.DType;

/**
 * Allocation, views and conversion of tensors.
 *
 * <p>Not thread-safe.
 */
public final class TensorKernels implements AutoCloseable {
  private final KernelModule module = new KernelModule(TensorKernels.class, "tensors.py");

  /** An uninitialised tensor on the CPU. */
  public Tensor empty(DType dtype, long... shape) {
    try (Argument sizes = Argument.of(shape)) {
      return module.tensor("empty", sizes, dtype.scalarType());
    }
  }

  /** A vector of 64-bit integers. */
  public Tensor integers(long... values) {
    try (Argument list = Argument.of(values)) {
      return module.tensor("integers", list);
    }
  }

  /** A float32 vector. */
  public Tensor floats(float... values) {
    Tensor tensor = empty(DType.FLOAT32, values.length);
    tensor.bytes().asFloatBuffer().put(values);
    return tensor;
  }

  /** Rows {@code start … start + length − 1} of {@code x}: a view that shares its memory. */
  public Tensor rows(Tensor x, long start, long length) {
    return module.tensor("rows", x, start, length);
  }

  /** Overwrites {@code target} with {@code source}, of the same shape, converting its elements. */
  public void copy(Tensor target, Tensor source) {
    module.call("copy", target, source);
  }

  /** Overwrites {@code target} with zeros. */
  public void clear(Tensor target) {
    module.call("clear", target);
  }

  @Override
  public void close() {
    module.close();
  }
}
