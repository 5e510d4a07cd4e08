package io.lensflow.engine.torch;

import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * One file of kernels, loaded: runs its methods by name. The classes that know the methods' shapes
 * wrap it ({@code TransformerKernels} and the like).
 *
 * <p>Not thread-safe.
 */
public final class KernelModule implements AutoCloseable {
  private PtSymbolBlock block;

  /**
   * Loads the resource {@code resource} beside {@code owner}. A mistake in its source is reported
   * here, with the line.
   */
  public KernelModule(Class<?> owner, String resource) {
    byte[] archive = KernelArchive.of(owner, resource);
    try {
      block =
          JniUtils.loadModule(Tensor.manager(), new ByteArrayInputStream(archive), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a method that returns one tensor. */
  public Tensor tensor(String method, Object... arguments) {
    return new Tensor(run(method, arguments));
  }

  /** Runs a method that returns a tuple of tensors. */
  public Tensor[] tensors(String method, Object... arguments) {
    try (IValue tuple = run(method, arguments)) {
      IValue[] values = tuple.toIValueTuple();
      Tensor[] tensors = new Tensor[values.length];
      for (int i = 0; i < values.length; i++) {
        tensors[i] = new Tensor(values[i]);
      }
      return tensors;
    }
  }

  /** Runs a method for its effect on its arguments. */
  public void call(String method, Object... arguments) {
    run(method, arguments).close();
  }

  /**
   * @param arguments {@link Tensor}, {@link Argument}, Integer or Long, Double, Boolean, String
   */
  private IValue run(String method, Object... arguments) {
    if (block == null) {
      throw new IllegalStateException("these kernels are closed");
    }
    KernelThread.enter();
    IValue[] values = new IValue[arguments.length];
    boolean[] ours = new boolean[arguments.length];
    try {
      for (int i = 0; i < values.length; i++) {
        Object argument = arguments[i];
        if (argument instanceof Tensor tensor) {
          values[i] = tensor.value();
        } else if (argument instanceof Argument list) {
          values[i] = list.value();
        } else {
          values[i] = scalar(argument);
          ours[i] = true;
        }
      }
      return IValueUtils.runMethod(block, method, values);
    } finally {
      for (int i = 0; i < values.length; i++) {
        if (ours[i]) {
          values[i].close();
        }
      }
    }
  }

  private static IValue scalar(Object argument) {
    if (argument instanceof Integer || argument instanceof Long) {
      return IValue.from(((Number) argument).longValue());
    }
    if (argument instanceof Double number) {
      return IValue.from(number.doubleValue());
    }
    if (argument instanceof String text) {
      return IValue.from(text);
    }
    if (argument instanceof Boolean flag) {
      return IValue.from(flag.booleanValue());
    }
    throw new IllegalArgumentException("kernels take no " + argument.getClass());
  }

  /** Unloads the kernels. Closing twice is harmless. */
  @Override
  public void close() {
    if (block != null) {
      block.close();
      block = null;
    }
  }
}
