package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory through which R ranks sum up: each leaves its summand [N, D] in its own part, all
 * meet, each adds all parts up in the same order. There are two sets of parts: one is written while
 * the other may still be read, and a rank comes back to the first only after a meeting that all
 * readers have left.
 *
 * <p>Grown by the owner of the ranks between steps; written by the ranks.
 */
final class AllReduce implements AutoCloseable {
  private final List<TensorKernels> ranks;
  private final int hiddenSize;
  private final DType dtype;
  private final Rendezvous rendezvous;
  private int rows;
  private Argument attention;
  private Argument mlp;

  /**
   * @param ranks allocate on the ranks' devices, in order
   */
  AllReduce(List<TensorKernels> ranks, int hiddenSize, DType dtype) {
    this.ranks = ranks;
    this.hiddenSize = hiddenSize;
    this.dtype = dtype;
    this.rendezvous = new Rendezvous(ranks.size());
  }

  /** Makes room for steps of so many rows. */
  void prepare(int n) {
    if (n > rows) {
      close();
      // Nothing until both are there: memory may be short.
      rows = 0;
      attention = parts(n);
      mlp = parts(n);
      rows = n;
    }
  }

  private Argument parts(int n) {
    List<Tensor> parts = new ArrayList<>();
    try {
      for (TensorKernels rank : ranks) {
        parts.add(rank.emptyOnDevice(dtype, n, hiddenSize));
      }
      return Argument.of(parts);
    } finally {
      parts.forEach(Tensor::close);
    }
  }

  /** Summands of attention. */
  Argument attention() {
    return attention;
  }

  /** Summands of the MLP, and of the embedding before the first layer. */
  Argument mlp() {
    return mlp;
  }

  Rendezvous rendezvous() {
    return rendezvous;
  }

  @Override
  public void close() {
    if (attention != null) {
      attention.close();
      mlp.close();
    }
  }
}
