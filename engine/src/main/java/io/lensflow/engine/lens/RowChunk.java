package io.lensflow.engine.lens;

import io.lensflow.engine.torch.Tensor;

/**
 * Some rows on their way through the head: translated, normed, on the first device. Read by all
 * runs of the vocabulary at the same time, changed by none.
 *
 * @param n rows
 * @param precise [n, D], for single tokens: float64 on the exact path, float32 on the fast one
 * @param x [n, D], float32
 * @param rounded the same in bfloat16; null on the exact path
 * @param finals [M, D], float32: the model's own rows that these need, normed; null for none
 * @param finalOf [n], which of them each row needs; null for none
 * @param finalCount M
 * @param targetsPerRow T
 * @param targets [n, T], −1 for none
 */
record RowChunk(
    int n,
    Tensor precise,
    Tensor x,
    Tensor rounded,
    Tensor finals,
    int[] finalOf,
    int finalCount,
    int targetsPerRow,
    int[] targets)
    implements AutoCloseable {
  @Override
  public void close() {
    for (Tensor tensor : new Tensor[] {precise, x, rounded, finals}) {
      if (tensor != null) {
        tensor.close();
      }
    }
  }
}
