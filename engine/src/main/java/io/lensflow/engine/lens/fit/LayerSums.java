package io.lensflow.engine.lens.fit;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The sums of one layer, and the block of rows that waits to be added to them. Rows are gathered
 * first, because a product of some hundred rows costs little more than one of a few. Not
 * thread-safe.
 */
final class LayerSums implements AutoCloseable {
  private final int hiddenSize;
  private final int blockRows;
  private final TensorKernels tensors;
  private final FitKernels kernels;

  private DType dtype;
  private Tensor x;
  private Tensor y;
  private int waiting;
  private long rows;
  private State state;

  /**
   * Sums over n rows, counted from an origin near their mean, so that float32 products lose no
   * digits to a large common part.
   *
   * @param originX [D] float32
   * @param originR [D] float32
   * @param gram [D, D] float64, Σ s sᵀ with s = x − originX
   * @param cross [D, D] float64, Σ s rᵀ with r = y − x − originR
   * @param sumX [D] float64, Σ s
   * @param sumR [D] float64, Σ r
   */
  record State(Tensor originX, Tensor originR, Tensor gram, Tensor cross, Tensor sumX, Tensor sumR)
      implements AutoCloseable {
    @Override
    public void close() {
      for (Tensor tensor : List.of(originX, originR, gram, cross, sumX, sumR)) {
        tensor.close();
      }
    }
  }

  LayerSums(int hiddenSize, int blockRows, TensorKernels tensors, FitKernels kernels) {
    this.hiddenSize = hiddenSize;
    this.blockRows = blockRows;
    this.tensors = tensors;
    this.kernels = kernels;
  }

  /** Rows taken in so far. */
  long rows() {
    return rows;
  }

  /**
   * Takes in rows.
   *
   * @param scratch [D, D] float32
   */
  void add(ByteBuffer rowBytes, ByteBuffer finalBytes, DType type, int n, Tensor scratch) {
    if (type != dtype) {
      flush(scratch);
      closeBlock();
      dtype = type;
      x = tensors.empty(type, blockRows, hiddenSize);
      y = tensors.empty(type, blockRows, hiddenSize);
    }
    int size = hiddenSize * type.bytes();
    for (int from = 0; from < n; ) {
      int count = Math.min(n - from, blockRows - waiting);
      x.bytes().put(waiting * size, rowBytes, rowBytes.position() + from * size, count * size);
      y.bytes().put(waiting * size, finalBytes, finalBytes.position() + from * size, count * size);
      waiting += count;
      rows += count;
      from += count;
      if (waiting == blockRows) {
        flush(scratch);
      }
    }
  }

  private void flush(Tensor scratch) {
    if (waiting == 0) {
      return;
    }
    try (Tensor blockX = tensors.rows(x, 0, waiting);
        Tensor blockY = tensors.rows(y, 0, waiting)) {
      if (state == null) {
        state = begin(blockX, blockY);
      }
      kernels.add(blockX, blockY, state, scratch);
    }
    waiting = 0;
  }

  private State begin(Tensor blockX, Tensor blockY) {
    Tensor[] origin = kernels.origin(blockX, blockY);
    return new State(
        origin[0],
        origin[1],
        kernels.zeros(hiddenSize, hiddenSize),
        kernels.zeros(hiddenSize, hiddenSize),
        kernels.zeros(hiddenSize),
        kernels.zeros(hiddenSize));
  }

  /**
   * Solves for the translator of this layer.
   *
   * @throws IllegalStateException if the rows do not determine one; says why
   */
  FittedLayer solve(int layer, double ridge, Tensor scratch) {
    flush(scratch);
    if (rows < 2 || !(kernels.spread(state, rows) > 0)) {
      throw new IllegalStateException(
          "layer %d: %d rows that do not differ determine no translator".formatted(layer, rows));
    }
    Tensor[] solution = kernels.solve(state, rows, ridge);
    return new FittedLayer(layer, rows, solution[0], solution[1], solution[2]);
  }

  private void closeBlock() {
    for (Tensor tensor : Arrays.asList(x, y)) {
      if (tensor != null) {
        tensor.close();
      }
    }
    x = null;
    y = null;
    dtype = null;
  }

  @Override
  public void close() {
    closeBlock();
    if (state != null) {
      state.close();
      state = null;
    }
  }
}
