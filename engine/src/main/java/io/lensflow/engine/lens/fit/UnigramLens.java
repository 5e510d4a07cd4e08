package io.lensflow.engine.lens.fit;

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
 * The lens that looks at nothing: it says the same of every row, namely the mean of the model's own
 * distributions over the rows that it was shown. Of all constant lenses this one has the least mean
 * KL(model ‖ lens) on these rows, so a lens that is no better than it has read nothing from a row.
 *
 * <p>Memory: the head in float32, V·D·4 bytes, and a block of 64·V logits. Not thread-safe.
 */
public final class UnigramLens implements AutoCloseable {
  private static final int BLOCK_ROWS = 64;

  private final ModelConfig config;
  private final int threads;
  private final TensorKernels tensors = new TensorKernels();
  private final FitKernels kernels = new FitKernels();
  private Tensor norm;
  private Tensor head;
  private Tensor total;
  private Tensor logMean;
  private long rows;

  private UnigramLens(ModelConfig config, int threads) {
    this.config = config;
    this.threads = threads;
  }

  /**
   * Loads a checkpoint's final norm and head.
   *
   * @param threads threads that one operator spreads over
   * @throws IOException if they cannot be read; names what is wrong
   */
  public static UnigramLens load(Path folder, int threads) throws IOException {
    KernelThread.useThreads(threads);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      ModelConfig config = checkpoint.config().model();
      UnigramLens lens = new UnigramLens(config, threads);
      try {
        TensorReader reader = new TensorReader(checkpoint, lens.tensors);
        String name = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
        lens.norm = reader.read("model.norm.weight", DType.FLOAT32, config.hiddenSize());
        lens.head = reader.read(name, DType.FLOAT32, config.vocabularySize(), config.hiddenSize());
        lens.total = lens.kernels.zeros(config.vocabularySize());
        return lens;
      } catch (IOException | RuntimeException | Error e) {
        lens.close();
        throw e;
      }
    }
  }

  /** A block of rows of the model's last layer. */
  private interface Block {
    void take(Tensor rows, int from, int count);
  }

  /**
   * Learns from rows of the last layer.
   *
   * @param finalRows [n, D] from the position on, little-endian
   */
  public void add(ByteBuffer finalRows, DType dtype, int n) {
    inBlocks(
        finalRows,
        dtype,
        n,
        (block, from, count) -> kernels.addModel(block, norm, head, config.rmsNormEps(), total));
    rows += n;
    if (logMean != null) {
      logMean.close();
      logMean = null;
    }
  }

  /** Rows it was shown. */
  public long rows() {
    return rows;
  }

  /** KL(model ‖ this lens) in nats at rows of the last layer [n, D]. */
  public float[] kl(ByteBuffer finalRows, DType dtype, int n) {
    float[] kl = new float[n];
    inBlocks(
        finalRows,
        dtype,
        n,
        (block, from, count) -> {
          try (Tensor distances =
              kernels.distance(block, norm, head, config.rmsNormEps(), logMean())) {
            distances.bytes().asFloatBuffer().get(kl, from, count);
          }
        });
    return kl;
  }

  /** The token that it always says. */
  public int topId() {
    return kernels.top(logMean());
  }

  private Tensor logMean() {
    if (rows == 0) {
      throw new IllegalStateException("a unigram lens that was shown no rows says nothing");
    }
    if (logMean == null) {
      logMean = kernels.logMean(total, rows);
    }
    return logMean;
  }

  private void inBlocks(ByteBuffer rowBytes, DType dtype, int n, Block consumer) {
    KernelThread.useThreads(threads);
    int size = config.hiddenSize() * dtype.bytes();
    for (int from = 0; from < n; from += BLOCK_ROWS) {
      int count = Math.min(BLOCK_ROWS, n - from);
      try (Tensor block = tensors.empty(dtype, count, config.hiddenSize())) {
        block.bytes().put(0, rowBytes, rowBytes.position() + from * size, count * size);
        consumer.take(block, from, count);
      }
    }
  }

  /** Frees all native memory. Closing twice is harmless. */
  @Override
  public void close() {
    for (Tensor tensor : new Tensor[] {norm, head, total, logMean}) {
      if (tensor != null) {
        tensor.close();
      }
    }
    kernels.close();
    tensors.close();
  }
}
