package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;

/**
 * A rank's keys and values: per layer two tensors [pool, K, E], allocated once. Which sequence owns
 * which rows of the pool, {@link KvBlocks} knows.
 *
 * <p>Not thread-safe.
 */
final class KvCache implements AutoCloseable {
  private final Argument layers;

  /**
   * @param heads the rank's K
   * @param tokens rows of the pool, {@link #spareRow} not counted
   */
  KvCache(
      TensorKernels tensors,
      TransformerKernels kernels,
      ModelConfig config,
      int heads,
      DType dtype,
      int tokens) {
    List<Tensor> all = new ArrayList<>();
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        Tensor keys = tensors.emptyOnDevice(dtype, tokens + 1, heads, config.headSize());
        all.add(keys);
        Tensor values = tensors.emptyOnDevice(dtype, tokens + 1, heads, config.headSize());
        all.add(values);
        all.add(kernels.headsFirst(keys));
        all.add(kernels.headsFirst(values));
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

  /** Keys and values of every layer, each to write and to read, as kernels take them. */
  Argument layers() {
    return layers;
  }

  @Override
  public void close() {
    layers.close();
  }
}
