package io.lensflow.engine.steering;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * A vector on every rank's device: v and v̂ as the two rows of a float32 tensor [2, D].
 *
 * <p>When it is closed no further sequence can be steered by it. Its memory goes then, unless the
 * last steered step used it: ranks keep what that step was told, which is as a rule the same for
 * the next one, until a step is steered in another way. That is one step's vectors at most.
 *
 * <p>Not thread-safe: made and closed between steps, by who steps the engine.
 */
public final class DeviceVector implements PreparedVector {
  private final int length;
  private final double norm;
  private List<Tensor> tensors;

  /**
   * @param ranks allocate on the ranks' devices, in order
   * @param values D of them
   * @throws IllegalArgumentException if there are not D or one is not finite
   */
  public DeviceVector(List<TensorKernels> ranks, float[] values, int hiddenSize) {
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
    this.tensors = ranks.stream().map(rank -> rows(rank, values)).toList();
  }

  private Tensor rows(TensorKernels rank, float[] values) {
    Tensor tensor = rank.empty(DType.FLOAT32, 2, length);
    FloatBuffer rows = tensor.bytes().asFloatBuffer();
    rows.put(values);
    for (float value : values) {
      rows.put(norm == 0 ? 0 : (float) (value / norm));
    }
    return rank.onDevice(tensor);
  }

  Tensor tensor(int rank) {
    if (isClosed()) {
      throw new IllegalStateException("this steering vector is closed");
    }
    return tensors.get(rank);
  }

  boolean isClosed() {
    return tensors == null;
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
    if (tensors != null) {
      tensors.forEach(Tensor::close);
      tensors = null;
    }
  }
}
