package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keys and values of all sequences: per layer two tensors [pool, K, E], allocated once. A sequence
 * owns a contiguous run of the pool's rows, so that attention reads it without gathering.
 *
 * <p>Not thread-safe.
 */
final class KvPool implements AutoCloseable {
  private final int tokens;
  private final List<Argument> layers = new ArrayList<>();

  /** Free runs: first row to length. Neighbours are always merged. */
  private final TreeMap<Integer, Integer> free = new TreeMap<>();

  KvPool(TensorKernels tensors, ModelConfig config, DType dtype, int tokens) {
    this.tokens = tokens;
    for (int layer = 0; layer < config.layers(); layer++) {
      long[] shape = {tokens, config.keyValueHeads(), config.headSize()};
      try (Tensor keys = tensors.empty(dtype, shape);
          Tensor values = tensors.empty(dtype, shape)) {
        layers.add(Argument.of(List.of(keys, values)));
      }
    }
    free.put(0, tokens);
  }

  /** Tokens that the pool holds over all sequences. */
  int tokens() {
    return tokens;
  }

  /** Keys and values of a layer, as kernels take them. */
  Argument layer(int layer) {
    return layers.get(layer);
  }

  /**
   * Takes the shortest free run that is long enough.
   *
   * @return its first row
   * @throws KvCapacityException if there is none now
   */
  int reserve(int count) {
    Map.Entry<Integer, Integer> best = null;
    int available = 0;
    for (Map.Entry<Integer, Integer> run : free.entrySet()) {
      available += run.getValue();
      if (run.getValue() >= count && (best == null || run.getValue() < best.getValue())) {
        best = run;
      }
    }
    if (best == null) {
      throw new KvCapacityException(
          "no room for %d tokens' keys and values: %d of %d are free, in %d runs"
              .formatted(count, available, tokens, free.size()));
    }
    int start = best.getKey();
    int length = best.getValue();
    free.remove(start);
    if (length > count) {
      free.put(start + count, length - count);
    }
    return start;
  }

  /** Gives a run back. */
  void release(int start, int count) {
    int from = start;
    int length = count;
    Map.Entry<Integer, Integer> before = free.lowerEntry(start);
    if (before != null && before.getKey() + before.getValue() == start) {
      from = before.getKey();
      length += before.getValue();
    }
    Integer after = free.remove(start + count);
    if (after != null) {
      length += after;
    }
    free.put(from, length);
  }

  @Override
  public void close() {
    layers.forEach(Argument::close);
  }
}
