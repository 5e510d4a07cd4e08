package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.steering.StepSteering.Edits;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.Tensor;
import java.util.stream.Stream;

/**
 * The transformer's kernels, typed. Source and shapes: {@code transformer.py}.
 *
 * <p>Not thread-safe: each rank has its own.
 */
final class TransformerKernels implements AutoCloseable {
  /** Logits of a row that are computed again in float32 after a product in bfloat16. */
  private static final int CANDIDATES = 16;

  private final KernelModule module = new KernelModule(TransformerKernels.class, "transformer.py");

  /** What the attention of every layer of a step is told. */
  record Attention(
      Tensor rotation,
      Tensor poolRows,
      Argument copies,
      Argument kinds,
      Argument bounds,
      Argument spans,
      Argument gathers,
      Argument masks) {
    private Object[] arguments() {
      return new Object[] {rotation, poolRows, copies, kinds, bounds, spans, gathers, masks};
    }
  }

  /** What a rank sets aside and steers in every layer of a step. */
  record Taps(Argument columns, Argument slots, Argument stages, Edits edits) {
    private Object[] arguments() {
      return new Object[] {
        columns,
        slots,
        stages,
        edits.starts(),
        edits.edits(),
        edits.multipliers(),
        edits.rows(),
        edits.vectors()
      };
    }
  }

  /** Runs a kernel whose arguments are these lists, one after the other. */
  private Tensor run(String kernel, Object[]... arguments) {
    return module.tensor(kernel, Stream.of(arguments).flatMap(Stream::of).toArray());
  }

  private static Object[] list(Object... arguments) {
    return arguments;
  }

  /** Packs a linear weight [out, in] for {@code rows} rows at a time. */
  Tensor pack(Tensor weight, int rows) {
    return module.tensor("pack", weight, rows);
  }

  /** Reorders the rows of the first heads of a projection for {@code rotate}; in place. */
  Tensor pairs(Tensor weight, int heads, int headSize) {
    return module.tensor("pairs", weight, heads, headSize);
  }

  /** x [N, in] · weight [out, in]ᵀ + bias. */
  Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return module.tensor("linear", x, weight, bias);
  }

  /** Rows of the rank's part of the embedding table: [N, D], zero where another rank has the id. */
  Tensor embed(Weights weights, Tensor ids) {
    return module.tensor("embed", weights.embedding(), ids, weights.vocabulary().first());
  }

  /** Unit complex numbers [N, 1, E/2] of positions [N]. */
  Tensor rotation(Tensor positions, Tensor frequencies) {
    return module.tensor("rotation", positions, frequencies);
  }

  /** The additive mask [t, s] of t new tokens that end s positions, on the host; window 0: none. */
  Tensor causalMask(int t, int s, int window, DType dtype) {
    return module.tensor("causal_mask", t, s, window, dtype.scalarType());
  }

  /** The additive mask [g, 1, 1, s] of sequences that see so many of s keys, on the host. */
  Tensor lengthMask(long[] lengths, int s, DType dtype) {
    try (Argument each = Argument.of(lengths)) {
      return module.tensor("length_mask", each, s, dtype.scalarType());
    }
  }

  /** Overwrites runs of the pool, pairs of a first row and a count, with zeros. */
  void clear(KvCache cache, long[] runs) {
    try (Argument list = Argument.of(runs)) {
      module.call("clear", cache.layers(), list);
    }
  }

  /** All blocks: x [N, D] to [N, D]; writes keys and values, steers and captures. */
  Tensor blocks(Tensor x, int layers, Weights w, KvCache cache, Attention attention, Taps taps) {
    return run(
        "blocks",
        list(x, layers, w.layers(), w.floors(), cache.layers()),
        attention.arguments(),
        taps.arguments());
  }

  /** Leaves a rank's summand among the parts. */
  void leave(Tensor summand, Argument parts, int rank) {
    module.tensor("leave", summand, parts, rank).close();
  }

  /** A rank's attention in one layer: the residual x before it; its summand goes to the parts. */
  Tensor rankAttention(
      Tensor x,
      int layer,
      Argument before,
      Argument parts,
      int rank,
      Weights w,
      KvCache cache,
      Attention attention,
      Taps taps) {
    return run(
        "rank_attention",
        list(x, layer, before, parts, rank, w.layers(), w.floors(), cache.layers()),
        attention.arguments(),
        taps.arguments());
  }

  /** A rank's MLP in one layer: the residual x before it; its summand goes to the parts. */
  Tensor rankMlp(
      Tensor x, int layer, Argument before, Argument parts, int rank, Weights w, Taps taps) {
    return run(
        "rank_mlp", list(x, layer, before, parts, rank, w.layers(), w.floors()), taps.arguments());
  }

  /** The residual after the last layer. */
  Tensor rankFinish(Tensor x, int layer, Argument before, int rank, Taps taps) {
    return run("rank_finish", list(x, layer, before, rank), taps.arguments());
  }

  /**
   * Float32 logits [M, V'] of M of the rows x [N, D], −∞ where V' only fills up; and per row the id
   * within V' of the greatest, that logit, and the logarithm of the sum [M, 3].
   */
  Tensor[] head(Tensor x, Tensor at, Weights weights) {
    int v = weights.vocabulary().count();
    return module.tensors(
        "head",
        x,
        at,
        weights.finalNorm(),
        weights.hiddenFloor(),
        weights.head(),
        weights.headTable(),
        weights.none(),
        v,
        CANDIDATES);
  }

  @Override
  public void close() {
    module.close();
  }
}
