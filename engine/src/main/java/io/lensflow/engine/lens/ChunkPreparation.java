package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * From bytes to normed rows: translator, then final norm, in float32, on the first device.
 *
 * <p>Not thread-safe.
 */
final class ChunkPreparation implements AutoCloseable {
  private final ModelConfig config;
  private final TensorKernels tensors;
  private final LensKernels kernels;
  private final Tensor norm;

  /** Reads the final norm. Tensors and kernels stay the caller's. */
  ChunkPreparation(Checkpoint checkpoint, TensorKernels tensors, LensKernels kernels)
      throws IOException {
    this.config = checkpoint.config().model();
    this.tensors = tensors;
    this.kernels = kernels;
    TensorReader reader = new TensorReader(checkpoint, tensors);
    this.norm =
        tensors.onDevice(reader.read("model.norm.weight", DType.FLOAT32, config.hiddenSize()));
  }

  /**
   * Rows {@code from … from + n − 1} of a batch that was checked.
   *
   * @param fast whether they are needed in bfloat16, too
   */
  RowChunk prepare(
      LensBatch batch,
      LensMetrics metrics,
      LensTranslator translator,
      boolean fast,
      int from,
      int n) {
    KernelThread.useThreads(1);
    int t = metrics.targetsPerRow();
    boolean compared = metrics.needsModel() || batch.frozenNorm();
    int[] distinct = null;
    int[] of = null;
    if (compared) {
      int[] wanted = Arrays.copyOfRange(batch.finalRowOf(), from, from + n);
      distinct = Arrays.stream(wanted).sorted().distinct().toArray();
      of = new int[n];
      for (int row = 0; row < n; row++) {
        of[row] = Arrays.binarySearch(distinct, wanted[row]);
      }
    }
    Tensor x = null;
    Tensor rounded = null;
    Tensor finals = null;
    try (Tensor raw = rows(batch.rows(), batch.dtype(), range(from, n));
        Tensor rawFinals = compared ? rows(batch.finalRows(), batch.dtype(), distinct) : null) {
      if (compared) {
        finals = kernels.norm(rawFinals, norm, config.rmsNormEps());
      }
      try (Tensor h =
          translator == null
              ? tensors.fetch(raw)
              : translator.apply(
                  raw, Arrays.copyOfRange(batch.layers(), from, from + n), tensors, kernels)) {
        x = norm(h, rawFinals, batch.frozenNorm() ? of : null);
      }
      rounded = fast ? kernels.convert(x, DType.BFLOAT16) : null;
      return new RowChunk(
          n,
          x,
          rounded,
          finals,
          of,
          compared ? distinct.length : 0,
          t,
          t == 0 ? null : Arrays.copyOfRange(batch.targets(), from * t, (from + n) * t));
    } catch (RuntimeException | Error e) {
      new RowChunk(n, x, rounded, finals, of, 0, t, null).close();
      throw e;
    }
  }

  /** Compares rows with the model's own, both of which went through the whole vocabulary. */
  Divergence compare(RowChunk rows, RowSums lens, ModelSums model) {
    try (Tensor x = tensors.toHost(tensors.rows(rows.x(), 0, rows.n()));
        Tensor finals = tensors.toHost(tensors.rows(rows.finals(), 0, rows.finalCount()))) {
      return new Divergence(
          rows, lens, model, x.bytes().asFloatBuffer(), finals.bytes().asFloatBuffer());
    }
  }

  private Tensor norm(Tensor h, Tensor rawFinals, int[] of) {
    if (of == null) {
      return kernels.norm(h, norm, config.rmsNormEps());
    }
    try (Tensor which = kernels.ids(tensors, 1, of.length, of)) {
      return kernels.frozenNorm(h, rawFinals, which, norm, config.rmsNormEps());
    }
  }

  /** Chosen rows of a buffer [any, D]. */
  private Tensor rows(ByteBuffer from, DType dtype, int[] which) {
    int rowBytes = config.hiddenSize() * dtype.bytes();
    Tensor rows = tensors.empty(dtype, which.length, config.hiddenSize());
    ByteBuffer bytes = rows.bytes();
    for (int i = 0; i < which.length; i++) {
      bytes.put(i * rowBytes, from, from.position() + which[i] * rowBytes, rowBytes);
    }
    return tensors.onDevice(rows);
  }

  private static int[] range(int from, int n) {
    int[] range = new int[n];
    Arrays.setAll(range, i -> from + i);
    return range;
  }

  @Override
  public void close() {
    norm.close();
  }
}
