package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.LongBuffer;

/**
 * The lens head's kernels, typed. Source and shapes: {@code lens.py}.
 *
 * <p>Not thread-safe.
 */
final class LensKernels implements AutoCloseable {
  private static final int FLOAT32 = DType.FLOAT32.scalarType();

  /** What no checkpoint stores and no row comes in. */
  private static final int FLOAT64 = 7;

  /** Logits that elementwise work takes at a time: 512 KiB of values. */
  private static final int SLICE = 1 << 17;

  /** Rows that the second pass of JS takes at a time. */
  private static final int MIXTURE_SLICE = 64;

  /** Rows whose single tokens are gathered from the head at a time. */
  private static final int GATHER_SLICE = 8;

  private final KernelModule module = new KernelModule(LensKernels.class, "lens.py");

  /**
   * Tokens that elementwise work takes at a time where there are n rows: a multiple of {@link
   * RunScratch#GROUP}, and at least that.
   */
  static int slice(int n) {
    return Math.max(1, SLICE / n / RunScratch.GROUP) * RunScratch.GROUP;
  }

  /** Ids [n, width] on a device. */
  Tensor ids(TensorKernels device, int n, int width, int... values) {
    Tensor ids = module.tensor("ids", n, width);
    if (values.length > 0) {
      LongBuffer buffer = ids.bytes().asLongBuffer();
      for (int value : values) {
        buffer.put(value);
      }
    }
    return device.onDevice(ids);
  }

  /** Float32 values [n, width] on a device. */
  Tensor matrix(TensorKernels device, int n, int width, float... values) {
    Tensor matrix = device.empty(DType.FLOAT32, n, width);
    if (values.length > 0) {
      matrix.bytes().asFloatBuffer().put(values);
    }
    return device.onDevice(matrix);
  }

  Tensor convert(Tensor x, DType dtype) {
    return module.tensor("convert", x, dtype.scalarType());
  }

  /** Float32, or float64 if {@code wide}. */
  Tensor norm(Tensor rows, Tensor weight, double eps, boolean wide) {
    return module.tensor("norm", rows, weight, eps, wide ? FLOAT64 : FLOAT32);
  }

  /** Float32, or float64 if {@code wide}. */
  Tensor frozenNorm(
      Tensor rows, Tensor finals, Tensor of, Tensor weight, double eps, boolean wide) {
    return module.tensor("frozen_norm", rows, finals, of, weight, eps, wide ? FLOAT64 : FLOAT32);
  }

  void translate(Tensor rows, Tensor at, Tensor weight, Tensor bias) {
    module.call("translate", rows, at, weight, bias);
  }

  Tensor weights(Tensor head, Tensor scratch) {
    return module.tensor("weights", head, scratch);
  }

  Tensor pack(Tensor rows, int columns) {
    return module.tensor("pack", rows, columns);
  }

  Tensor product(Tensor x, Tensor w, int n, Tensor logits) {
    return module.tensor("product", x, w, n, logits);
  }

  /** A block's logits [c, n]; results lie in {@code room} and {@code targets} afterwards. */
  Tensor block(
      Tensor x,
      Tensor w,
      int n,
      RunScratch room,
      int group,
      boolean weighted,
      int first,
      TargetCounts targets) {
    return module.tensor(
        "block",
        x,
        w,
        n,
        room.logits(),
        room.values(),
        room.terms(),
        slice(n),
        group,
        weighted,
        room.maxima(),
        room.sums(),
        first,
        targets.ids(),
        targets.logits(),
        targets.counts());
  }

  /** The sums of a block's logits [c, n] less each row's maximum, which is returned. */
  Tensor shiftedSums(Tensor logits, int n, RunScratch room, boolean weighted) {
    return module.tensor("shifted_sums", logits, room.terms(), slice(n), weighted, room.sums());
  }

  Tensor[] top(Tensor logits, int k) {
    return module.tensors("top", logits, k);
  }

  Tensor single(Tensor x, Tensor head, Tensor at) {
    return module.tensor("single", x, head, at, GATHER_SLICE);
  }

  void modelBlock(Tensor finals, Tensor w, Tensor state, Tensor mean) {
    module.call("model_block", finals, w, state, mean);
  }

  /** Rows and their log Σ exp, of the lens and of the model. */
  record Pair(Tensor x, Tensor logSumExp, Tensor finals, Tensor finalLogSumExp, Tensor of) {}

  void mixtureBlock(Pair pair, Tensor w, Tensor logits, Tensor sums) {
    module.call(
        "mixture_block",
        pair.x(),
        w,
        pair.logSumExp(),
        pair.finals(),
        pair.finalLogSumExp(),
        pair.of(),
        logits,
        MIXTURE_SLICE,
        sums);
  }

  @Override
  public void close() {
    module.close();
  }
}
