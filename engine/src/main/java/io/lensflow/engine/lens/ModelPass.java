package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;

/**
 * The model's own rows on their way through one run of the vocabulary, each once, however many rows
 * of other layers are compared with it.
 *
 * <p>Not thread-safe.
 */
final class ModelPass implements AutoCloseable {
  private final TensorKernels tensors;
  private final LensKernels kernels;
  private final int m;
  private final Tensor finals;
  private final Tensor state;
  private final Tensor mean;
  private final int hiddenSize;

  ModelPass(RowChunk rows, int hiddenSize, TensorKernels tensors, LensKernels kernels) {
    this.tensors = tensors;
    this.kernels = kernels;
    this.m = rows.finalCount();
    this.hiddenSize = hiddenSize;
    float[] start = new float[2 * m];
    for (int row = 0; row < m; row++) {
      start[2 * row] = Float.NEGATIVE_INFINITY;
    }
    this.finals = tensors.fetch(rows.finals());
    this.state = kernels.matrix(tensors, m, 2, start);
    this.mean = tensors.emptyOnDevice(DType.FLOAT32, m, hiddenSize);
    tensors.clear(mean);
  }

  /** Takes in a block of the head, float32 [c, D]. */
  void add(Tensor w) {
    kernels.modelBlock(finals, w, state, mean);
  }

  ModelSums sums() {
    try (Tensor ownState = tensors.toHost(tensors.rows(state, 0, m));
        Tensor ownMean = tensors.toHost(tensors.rows(mean, 0, m))) {
      return ModelSums.of(
          m, hiddenSize, ownState.bytes().asFloatBuffer(), ownMean.bytes().asFloatBuffer());
    }
  }

  @Override
  public void close() {
    finals.close();
    state.close();
    mean.close();
  }
}
