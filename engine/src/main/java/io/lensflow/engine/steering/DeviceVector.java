package io.lensflow.engine.steering;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.FloatBuffer;

/** A vector on the device: v and v̂ as the two rows of a float32 tensor [2, D]. */
public final class DeviceVector implements PreparedVector {
  private final int length;
  private final double norm;
  private Tensor tensor;

  /**
   * @param values D of them
   * @throws IllegalArgumentException if there are not D or one is not finite
   */
  public DeviceVector(TensorKernels tensors, float[] values, int hiddenSize) {
    if (values.length != hiddenSize) {
      throw new IllegalArgumentException(
          "vector: it has %d values; this model's hidden size is %d"
              .formatted(values.length, hiddenSize));
    }
    double squares = 0;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException("vector: value %d is %s".formatted(i, values[i]));
      }
      squares += (double) values[i] * values[i];
    }
    this.length = values.length;
    this.norm = Math.sqrt(squares);
    this.tensor = tensors.empty(DType.FLOAT32, 2, length);
    FloatBuffer rows = tensor.bytes().asFloatBuffer();
    rows.put(values);
    for (float value : values) {
      rows.put(norm == 0 ? 0 : (float) (value / norm));
    }
  }

  Tensor tensor() {
    if (isClosed()) {
      throw new IllegalStateException("this steering vector is closed");
    }
    return tensor;
  }

  boolean isClosed() {
    return tensor == null;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public double norm() {
    return norm;
  }

  @Override
  public void close() {
    if (tensor != null) {
      tensor.close();
      tensor = null;
    }
  }
}
