package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Memory that blocks go through, one after the other, on one path of one run of the vocabulary. All
 * that grows with rows × columns is here.
 *
 * <p>Not thread-safe.
 */
final class RunScratch implements AutoCloseable {
  /** Tokens whose maximum is taken together where the size of a block allows. */
  static final int GROUP = 32;

  private final TensorKernels tensors;
  private final LensKernels kernels;
  private final boolean fast;
  private final Tensor weight;
  private final Tensor logits;
  private final Tensor values;
  private final Tensor terms;
  private final Tensor maxima;
  private final Tensor sums;

  /**
   * @param count columns of the run
   * @param fast whether logits are bfloat16
   * @param stored type of the head
   */
  RunScratch(
      TensorKernels tensors,
      LensKernels kernels,
      LensHeadOptions options,
      int count,
      int hiddenSize,
      boolean fast,
      DType stored) {
    this.tensors = tensors;
    this.kernels = kernels;
    this.fast = fast;
    int columns = Math.min(count, options.columnBlock());
    DType dtype = fast ? DType.BFLOAT16 : DType.FLOAT32;
    long block = (long) options.rowBlock() * columns;
    int n = options.rowBlock();
    long slice = Math.max(LensKernels.slice(1), (long) n * LensKernels.slice(n));
    weight = tensors.emptyOnDevice(dtype, stored == dtype ? 0 : columns, hiddenSize);
    logits = tensors.emptyOnDevice(dtype, block);
    values = tensors.emptyOnDevice(DType.FLOAT32, fast ? slice : 0);
    terms = tensors.emptyOnDevice(DType.FLOAT32, slice);
    int last = count % columns;
    int groups = Math.max(columns / group(columns), last / group(last));
    maxima = tensors.emptyOnDevice(DType.FLOAT32, (long) options.rowBlock() * groups);
    sums = tensors.emptyOnDevice(DType.FLOAT32, 2L * options.rowBlock());
  }

  /** Tokens that share a maximum in a block of so many: a divisor of them. */
  static int group(int columns) {
    int group = GROUP;
    while (columns % group != 0) {
      group /= 2;
    }
    return group;
  }

  Tensor weight() {
    return weight;
  }

  Tensor logits() {
    return logits;
  }

  Tensor values() {
    return values;
  }

  Tensor terms() {
    return terms;
  }

  Tensor maxima() {
    return maxima;
  }

  Tensor sums() {
    return sums;
  }

  /**
   * Adds the last block's sums.
   *
   * @param block its logits [c, n]
   */
  void addTo(RowSums target, Tensor block, boolean weighted) {
    try (Tensor own = ownSums(target.rows())) {
      FloatBuffer plain = own.bytes().asFloatBuffer();
      if (target.inRange(plain)) {
        target.add(plain, null);
        return;
      }
    }
    try (Tensor tops = tensors.toHost(kernels.shiftedSums(block, target.rows(), this, weighted));
        Tensor own = ownSums(target.rows())) {
      target.add(own.bytes().asFloatBuffer(), tops.bytes().asFloatBuffer());
    }
  }

  private Tensor ownSums(int n) {
    return tensors.toHost(tensors.rows(sums, 0, 2L * n));
  }

  /**
   * Adds the last block's greatest logits.
   *
   * @param block its logits [c, n]
   */
  void addTo(TopTokens target, Tensor block, int firstId, int columns) {
    if (tensors.onHost()) {
      ByteBuffer most = maxima.bytes();
      target.add(firstId, columns, group(columns), most, block.bytes(), fast);
      return;
    }
    int width = Math.min(columns, target.k());
    Tensor[] top = kernels.top(block, width);
    try (Tensor kept = tensors.toHost(top[0]);
        Tensor at = tensors.toHost(top[1])) {
      target.add(firstId, width, kept.bytes().asFloatBuffer(), at.bytes().asLongBuffer());
    }
  }

  @Override
  public void close() {
    for (Tensor tensor : new Tensor[] {weight, logits, values, terms, maxima, sums}) {
      tensor.close();
    }
  }
}
