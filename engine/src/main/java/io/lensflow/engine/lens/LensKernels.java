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
  /** Rows that elementwise work takes at a time: with 1,024 columns, 256 KiB of values. */
  private static final int SLICE = 64;

  /** Rows whose single tokens are gathered from the head at a time. */
  private static final int GATHER_SLICE = 16;

  private final KernelModule module = new KernelModule(LensKernels.class, "lens.py");

  /** Elements of values and of terms that {@link #block} needs for blocks of so many columns. */
  static long sliceSize(int columns) {
    return (long) SLICE * columns;
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

  Tensor norm(Tensor rows, Tensor weight, double eps) {
    return module.tensor("norm", rows, weight, eps);
  }

  Tensor frozenNorm(Tensor rows, Tensor finals, Tensor of, Tensor weight, double eps) {
    return module.tensor("frozen_norm", rows, finals, of, weight, eps);
  }

  void translate(Tensor rows, Tensor at, Tensor weight, Tensor bias) {
    module.call("translate", rows, at, weight, bias);
  }

  Tensor weights(Tensor head, Tensor scratch) {
    return module.tensor("weights", head, scratch);
  }

  /** A block's logits; results lie in {@code room} and {@code targets} afterwards. */
  Tensor block(
      Tensor x,
      Tensor w,
      RunScratch room,
      int group,
      boolean weighted,
      int first,
      TargetCounts targets) {
    return module.tensor(
        "block",
        x,
        w,
        room.logits(),
        room.values(),
        room.terms(),
        SLICE,
        group,
        weighted,
        room.maxima(),
        room.sums(),
        first,
        targets.ids(),
        targets.logits(),
        targets.counts());
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
        SLICE,
        sums);
  }

  @Override
  public void close() {
    module.close();
  }
}
