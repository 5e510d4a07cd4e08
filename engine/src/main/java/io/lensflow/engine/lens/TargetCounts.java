package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.FloatBuffer;

/**
 * How many tokens of a run of the vocabulary are strictly greater than each target, summed up block
 * by block. On the device they are [T, n], as logits are [c, n]. Without targets it does nothing.
 *
 * <p>Not thread-safe.
 */
final class TargetCounts implements AutoCloseable {
  private final TensorKernels tensors;
  private final Tensor ids;
  private final Tensor logits;
  private final Tensor counts;
  private final int n;
  private final int[] greater;

  private TargetCounts(
      TensorKernels tensors, int n, Tensor ids, Tensor logits, Tensor counts, int[] greater) {
    this.tensors = tensors;
    this.n = n;
    this.ids = ids;
    this.logits = logits;
    this.counts = counts;
    this.greater = greater;
  }

  /**
   * @param logits of the rows' targets [n, T]; null for none
   */
  static TargetCounts of(
      RowChunk rows, float[] logits, TensorKernels tensors, LensKernels kernels) {
    int t = logits == null ? 0 : rows.targetsPerRow();
    int n = rows.n();
    int[] ids = new int[n * t];
    float[] values = new float[n * t];
    for (int i = 0; i < ids.length; i++) {
      int line = i % t * n + i / t;
      ids[line] = rows.targets()[i];
      values[line] = logits[i];
    }
    return new TargetCounts(
        tensors,
        n,
        kernels.ids(tensors, t, n, ids),
        kernels.matrix(tensors, t, n, values),
        tensors.emptyOnDevice(DType.FLOAT32, t, n),
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
    int t = greater.length / n;
    try (Tensor own = tensors.toHost(tensors.rows(counts, 0, t))) {
      FloatBuffer values = own.bytes().asFloatBuffer();
      for (int i = 0; i < greater.length; i++) {
        greater[i] += (int) values.get(i % t * n + i / t);
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
