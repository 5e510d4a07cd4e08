package io.lensflow.engine.lens;

import ai.djl.engine.EngineException;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From bytes to normed rows: translator, then final norm, in float32, on the first device.
 *
 * <p>Not thread-safe.
 */
final class ChunkPreparation implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ChunkPreparation.class);

  private final ModelConfig config;
  private final TensorKernels tensors;
  private final LensKernels kernels;
  private final Tensor norm;
  private final int packedFor;

  /**
   * Reads the final norm. Tensors and kernels stay the caller's.
   *
   * @param columns tokens of a block, for which bfloat16 rows are packed where the processor can; 0
   *     where they must stay plain
   */
  ChunkPreparation(Checkpoint checkpoint, TensorKernels tensors, LensKernels kernels, int columns)
      throws IOException {
    this.config = checkpoint.config().model();
    this.tensors = tensors;
    this.kernels = kernels;
    TensorReader reader = new TensorReader(checkpoint, tensors);
    this.norm =
        tensors.onDevice(reader.read("model.norm.weight", DType.FLOAT32, config.hiddenSize()));
    this.packedFor = columns > 0 && canPack() ? columns : 0;
  }

  /** Whether oneDNN has packed products of bfloat16 on this processor: tried on a tiny one. */
  private boolean canPack() {
    try (Tensor row = tensors.empty(DType.BFLOAT16, 1, config.hiddenSize());
        Tensor packed = kernels.pack(row, 1)) {
      kernels.product(packed, row, 1, row).close();
      return true;
    } catch (EngineException e) {
      log.info("rows stay plain: this processor has no packed products of bfloat16");
      return false;
    }
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
    Tensor precise = null;
    Tensor x = null;
    Tensor rounded = null;
    Tensor finals = null;
    try (Tensor raw = rows(batch.rows(), batch.dtype(), range(from, n));
        Tensor rawFinals = compared ? rows(batch.finalRows(), batch.dtype(), distinct) : null) {
      if (compared) {
        finals = kernels.norm(rawFinals, norm, config.rmsNormEps(), false);
      }
      try (Tensor h =
          translator == null
              ? tensors.fetch(raw)
              : translator.apply(
                  raw, Arrays.copyOfRange(batch.layers(), from, from + n), tensors, kernels)) {
        precise = norm(h, rawFinals, batch.frozenNorm() ? of : null, !fast);
      }
      x = kernels.convert(precise, DType.FLOAT32);
      rounded = fast ? round(x) : null;
      return new RowChunk(
          n,
          precise,
          x,
          rounded,
          finals,
          of,
          compared ? distinct.length : 0,
          t,
          t == 0 ? null : Arrays.copyOfRange(batch.targets(), from * t, (from + n) * t));
    } catch (RuntimeException | Error e) {
      new RowChunk(n, precise, x, rounded, finals, of, 0, t, null).close();
      throw e;
    }
  }

  private Tensor round(Tensor x) {
    Tensor plain = kernels.convert(x, DType.BFLOAT16);
    if (packedFor == 0) {
      return plain;
    }
    try (plain) {
      return kernels.pack(plain, packedFor);
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

  private Tensor norm(Tensor h, Tensor rawFinals, int[] of, boolean wide) {
    if (of == null) {
      return kernels.norm(h, norm, config.rmsNormEps(), wide);
    }
    try (Tensor which = kernels.ids(tensors, 1, of.length, of)) {
      return kernels.frozenNorm(h, rawFinals, which, norm, config.rmsNormEps(), wide);
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
