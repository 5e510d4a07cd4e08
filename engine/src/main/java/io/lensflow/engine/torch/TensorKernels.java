package io.lensflow.engine.torch;

import ai.djl.engine.EngineException;
import io.lensflow.engine.DType;
import java.util.List;

/**
 * Allocation, views and conversion of tensors, for one device. Tensors are made on the host, where
 * their bytes can be written, and then placed on the device.
 *
 * <p>Not thread-safe.
 */
public final class TensorKernels implements AutoCloseable {
  private static final String HOST = "cpu";

  private final String device;
  private final KernelModule module = new KernelModule(TensorKernels.class, "tensors.py");

  /** For the host itself. */
  public TensorKernels() {
    this(HOST);
  }

  /**
   * @param device {@code cpu} or such as {@code cuda:0}
   * @throws IllegalArgumentException if nothing can be allocated there
   */
  public TensorKernels(String device) {
    this.device = device;
    try {
      emptyOnDevice(DType.FLOAT32, 1).close();
    } catch (EngineException e) {
      module.close();
      throw new IllegalArgumentException(
          "device '%s' cannot be used: it is not there, or libtorch is made for CPUs alone; name none for the CPU"
              .formatted(device),
          e);
    }
  }

  /** The device's name. */
  public String device() {
    return device;
  }

  /** Whether the device is the host. */
  public boolean onHost() {
    return device.equals(HOST);
  }

  /** An uninitialised tensor on the host. */
  public Tensor empty(DType dtype, long... shape) {
    try (Argument sizes = Argument.of(shape)) {
      return module.tensor("empty", sizes, dtype.scalarType());
    }
  }

  /** An uninitialised tensor on the device. */
  public Tensor emptyOnDevice(DType dtype, long... shape) {
    if (onHost()) {
      return empty(dtype, shape);
    }
    try (Argument sizes = Argument.of(shape)) {
      return module.tensor("empty_on", sizes, dtype.scalarType(), device);
    }
  }

  /** An uninitialised tensor on the host, to which the device copies without being waited for. */
  public Tensor emptyForCopies(DType dtype, long... shape) {
    if (!device.startsWith("cuda")) {
      return empty(dtype, shape);
    }
    try (Argument sizes = Argument.of(shape)) {
      return module.tensor("pinned", sizes, dtype.scalarType());
    }
  }

  /** A tensor on the device. Takes over {@code tensor}, which lies on the host. */
  public Tensor onDevice(Tensor tensor) {
    if (onHost()) {
      return tensor;
    }
    try (tensor) {
      return module.tensor("place", tensor, device);
    }
  }

  /** A tensor on the host, its values there. Takes over {@code tensor}. */
  public Tensor toHost(Tensor tensor) {
    if (onHost()) {
      return tensor;
    }
    try (tensor) {
      return module.tensor("place", tensor, HOST);
    }
  }

  /**
   * {@code x}, from whatever device, on this one; where it is there already, its memory is shared.
   */
  public Tensor fetch(Tensor x) {
    return module.tensor("place", x, device);
  }

  /** A vector of 64-bit integers on the device. */
  public Tensor integers(long... values) {
    try (Argument list = Argument.of(values)) {
      return onDevice(module.tensor("integers", list));
    }
  }

  /** A float32 vector on the device. */
  public Tensor floats(float... values) {
    Tensor tensor = empty(DType.FLOAT32, values.length);
    tensor.bytes().asFloatBuffer().put(values);
    return onDevice(tensor);
  }

  /** Rows {@code start … start + length − 1} of {@code x}: a view that shares its memory. */
  public Tensor rows(Tensor x, long start, long length) {
    return module.tensor("rows", x, start, length);
  }

  /** Tensors of one shape beside each other, along a new dimension {@code dim}. */
  public Tensor stack(List<Tensor> tensors, long dim) {
    try (Argument list = Argument.of(tensors)) {
      return module.tensor("stack", list, dim);
    }
  }

  /** x [b, n, D], each row i of n times {@code factors[i]}. */
  public Tensor scaleRows(Tensor x, Tensor factors) {
    return module.tensor("scale_rows", x, factors);
  }

  /** {@code x[:, at]}: a view that shares the memory of {@code x}. */
  public Tensor column(Tensor x, long at) {
    return module.tensor("column", x, at);
  }

  /** Overwrites {@code target} with {@code source}, of the same shape, converting its elements. */
  public void copy(Tensor target, Tensor source) {
    module.call("copy", target, source);
  }

  /**
   * Starts to copy from the device to memory of {@link #emptyForCopies}. The copy is done when the
   * device has done anything that was asked of it later.
   */
  public void copyLater(Tensor target, Tensor source) {
    module.call("copy_later", target, source);
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
