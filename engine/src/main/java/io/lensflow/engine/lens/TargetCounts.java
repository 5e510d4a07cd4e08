package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;

/**
 * How many tokens of a run of the vocabulary are strictly greater than each target, summed up block
 * by block. Without targets it does nothing.
 *
 * <p>Not thread-safe.
 */
final class TargetCounts implements AutoCloseable {
  private final TensorKernels tensors;
  private final Tensor ids;
  private final Tensor logits;
  private final Tensor counts;
  private final int rows;
  private final int[] greater;

  private TargetCounts(
      TensorKernels tensors, int rows, Tensor ids, Tensor logits, Tensor counts, int[] greater) {
    this.tensors = tensors;
    this.ids = ids;
    this.logits = logits;
    this.counts = counts;
    this.rows = rows;
    this.greater = greater;
  }

  /**
   * @param logits of the rows' targets [n, T]; null for none
   */
  static TargetCounts of(
      RowChunk rows, float[] logits, TensorKernels tensors, LensKernels kernels) {
    int t = logits == null ? 0 : rows.targetsPerRow();
    int[] ids = t == 0 ? new int[0] : rows.targets();
    return new TargetCounts(
        tensors,
        rows.n(),
        kernels.ids(tensors, rows.n(), t, ids),
        kernels.matrix(tensors, rows.n(), t, t == 0 ? new float[0] : logits),
        tensors.emptyOnDevice(DType.FLOAT32, rows.n(), t),
        t == 0 ? null : new int[ids.length]);
  }

  Tensor ids() {
    return ids;
  }

  Tensor logits() {
    return logits;
  }

  Tensor counts() {
    return counts;
  }

  /** Takes in the last block. */
  void add() {
    if (greater == null) {
      return;
    }
    try (Tensor own = tensors.toHost(tensors.rows(counts, 0, rows))) {
      var values = own.bytes().asFloatBuffer();
      for (int i = 0; i < greater.length; i++) {
        greater[i] += (int) values.get(i);
      }
    }
  }

  /** [n, T]; null without targets. */
  int[] greater() {
    return greater;
  }

  @Override
  public void close() {
    ids.close();
    logits.close();
    counts.close();
  }
}
