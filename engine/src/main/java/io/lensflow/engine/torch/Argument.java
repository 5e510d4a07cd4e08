package io.lensflow.engine.torch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import java.util.List;

/**
 * A kernel argument that is made once and passed many times: a list of tensors, of integers or of
 * numbers. Holds its tensors' memory until {@link #close}.
 *
 * <p>Not thread-safe.
 */
public final class Argument implements AutoCloseable {
  private IValue value;

  private Argument(IValue value) {
    this.value = value;
  }

  /** A {@code List[Tensor]}. The tensors may be closed afterwards: the list shares their memory. */
  public static Argument of(List<Tensor> tensors) {
    PtNDArray[] arrays = new PtNDArray[tensors.size()];
    for (int i = 0; i < arrays.length; i++) {
      arrays[i] = tensors.get(i).value().toTensor(Tensor.manager());
    }
    try {
      return new Argument(IValue.listFrom(arrays));
    } finally {
      for (PtNDArray array : arrays) {
        array.close();
      }
    }
  }

  /** A {@code List[int]}. */
  public static Argument of(long... numbers) {
    KernelThread.enter();
    return new Argument(IValue.listFrom(numbers));
  }

  /** A {@code List[float]}. */
  public static Argument of(double... numbers) {
    KernelThread.enter();
    return new Argument(IValue.listFrom(numbers));
  }

  IValue value() {
    if (value == null) {
      throw new IllegalStateException("this argument is closed");
    }
    return value;
  }

  /** Lets go of the tensors. Closing twice is harmless. */
  @Override
  public void close() {
    if (value != null) {
      value.close();
      value = null;
    }
  }
}
