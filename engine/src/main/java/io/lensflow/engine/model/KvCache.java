package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;

/**
 * A rank's keys and values: per layer two tensors [K, pool, E], allocated once: what a head reads
 * lies together. Which sequence owns which rows of the pool, {@link KvBlocks} knows.
 *
 * <p>Not thread-safe.
 */
final class KvCache implements AutoCloseable {
  private final Argument layers;

  /**
   * @param heads the rank's K
   * @param tokens rows of the pool, {@link #spareRow} not counted
   */
  KvCache(TensorKernels tensors, ModelConfig config, int heads, DType dtype, int tokens) {
    List<Tensor> all = new ArrayList<>();
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        all.add(tensors.emptyOnDevice(dtype, heads, tokens + 1, config.headSize()));
        all.add(tensors.emptyOnDevice(dtype, heads, tokens + 1, config.headSize()));
      }
      layers = Argument.of(all);
    } finally {
      all.forEach(Tensor::close);
    }
  }

  /** The row where what only fills a step up may be written. */
  static int spareRow(int tokens) {
    return tokens;
  }

  /** Keys and values of every layer, as kernels take them. */
  Argument layers() {
    return layers;
  }

  @Override
  public void close() {
    layers.close();
  }
}
