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
import java.nio.file.Path;

/**
 * A model's final norm and head, without the rest of it: turns rows of any layer into the tokens
 * that the model would say if that row were its last.
 *
 * <p>Everything is computed in float32, block by block: {@code rowBlock × columnBlock} logits exist
 * at a time, never [N, V]. The head is held once, in the type that the checkpoint stores, and each
 * column block is converted when it is used: for a bfloat16 model that halves the memory, and the
 * conversion is shared by all rows of a block.
 *
 * <p>Not thread-safe; runs best always on the same thread.
 */
public final class LensHead implements AutoCloseable {
  private final ModelConfig config;
  private final String revision;
  private final LensHeadOptions options;
  private final TensorKernels tensors;
  private final LensKernels kernels;
  private Tensor norm;
  private Tensor head;
  private Tensor weightScratch;
  private Tensor logitScratch;
  private Tensor termScratch;
  private boolean closed;

  private LensHead(Checkpoint checkpoint, LensHeadOptions options) {
    this.config = checkpoint.config().model();
    this.revision = checkpoint.revision();
    this.options = options;
    this.tensors = new TensorKernels();
    this.kernels = new LensKernels();
  }

  /**
   * Reads final norm and head from a checkpoint folder; no other weight is touched.
   *
   * @throws IOException if something is missing, broken or not supported; names it
   */
  public static LensHead load(Path folder, LensHeadOptions options) throws IOException {
    KernelThread.useThreads(options.threads());
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      LensHead lens = new LensHead(checkpoint, options);
      try {
        lens.read(checkpoint);
        return lens;
      } catch (IOException | RuntimeException | Error e) {
        lens.close();
        throw e;
      }
    }
  }

  private void read(Checkpoint checkpoint) throws IOException {
    TensorReader reader = new TensorReader(checkpoint, tensors);
    int d = config.hiddenSize();
    int v = config.vocabularySize();
    String name = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
    norm = reader.read("model.norm.weight", DType.FLOAT32, d);
    DType stored = checkpoint.storedType(name);
    head = reader.read(name, stored, v, d);
    int columns = Math.min(v, options.columnBlock());
    weightScratch = tensors.empty(DType.FLOAT32, stored == DType.FLOAT32 ? 0 : columns, d);
    logitScratch = tensors.empty(DType.FLOAT32, options.rowBlock(), columns);
    termScratch = tensors.empty(DType.FLOAT32, options.rowBlock(), columns);
  }

  /** The checkpoint's shape. May be read by any thread. */
  public ModelConfig config() {
    return config;
  }

  /** The checkpoint's revision. May be read by any thread. */
  public String revision() {
    return revision;
  }

  /** The logit lens: {@link #decode(LensBatch, LensMetrics, LensTranslator)} without translator. */
  public LensRows decode(LensBatch batch, LensMetrics metrics) {
    return decode(batch, metrics, null);
  }

  /**
   * Decodes rows.
   *
   * @param translator applied before the final norm; null for none
   * @throws IllegalArgumentException if a size or an id is out of range, or the batch lacks what a
   *     metric needs; names it
   */
  public LensRows decode(LensBatch batch, LensMetrics metrics, LensTranslator translator) {
    if (closed) {
      throw new IllegalStateException("the lens head is closed");
    }
    if (translator != null
        || metrics.targetsPerRow() > 0
        || metrics.needsModel()
        || metrics.path() == LensAccuracy.FAST
        || batch.frozenNorm()) {
      throw new UnsupportedOperationException("not yet: " + metrics);
    }
    int n = batch.n();
    int k = metrics.topK();
    DType rowDtype = batch.dtype();
    ByteBuffer rows = batch.rows();
    int d = config.hiddenSize();
    int v = config.vocabularySize();
    long rowBytes = (long) d * rowDtype.bytes();
    if (n < 0 || n * rowBytes > rows.remaining()) {
      throw new IllegalArgumentException(
          "n is %d rows of %d bytes, but the buffer holds %d"
              .formatted(n, rowBytes, rows.remaining()));
    }
    if (k < 1 || k > v) {
      throw new IllegalArgumentException("k is %d; it must be 1 … %d".formatted(k, v));
    }
    KernelThread.useThreads(options.threads());
    LensRows result =
        new LensRows(
            k,
            new int[Math.multiplyExact(n, k)],
            new float[n * k],
            new float[n * k],
            new float[n],
            new float[n],
            null,
            null,
            null);
    for (int at = 0; at < n; at += options.rowBlock()) {
      int count = Math.min(options.rowBlock(), n - at);
      try (Tensor raw = tensors.empty(rowDtype, count, d)) {
        raw.bytes().put(0, rows, rows.position() + (int) (at * rowBytes), (int) (count * rowBytes));
        decode(raw, count, k).writeTo(result, at);
      }
    }
    return result;
  }

  private RowSummaries decode(Tensor rows, int n, int k) {
    RowSummaries summaries = new RowSummaries(n, k);
    int v = config.vocabularySize();
    try (Tensor x = kernels.norm(rows, norm, config.rmsNormEps())) {
      for (int first = 0; first < v; first += options.columnBlock()) {
        int columns = Math.min(options.columnBlock(), v - first);
        try (Tensor slice = tensors.rows(head, first, columns)) {
          Tensor[] block = kernels.block(x, slice, k, weightScratch, logitScratch, termScratch);
          try (Tensor kept = block[0];
              Tensor at = block[1];
              Tensor sums = block[2]) {
            summaries.add(
                first,
                Math.min(k, columns),
                kept.bytes().asFloatBuffer(),
                at.bytes().asLongBuffer(),
                sums.bytes().asFloatBuffer());
          }
        }
      }
    }
    return summaries;
  }

  /** Frees all native memory. Closing twice is harmless; decoding afterwards throws. */
  @Override
  public void close() {
    closed = true;
    for (Tensor tensor : new Tensor[] {norm, head, weightScratch, logitScratch, termScratch}) {
      if (tensor != null) {
        tensor.close();
      }
    }
    kernels.close();
    tensors.close();
  }
}
