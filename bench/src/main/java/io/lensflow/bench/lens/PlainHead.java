package io.lensflow.bench.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A model's head in one type and N rows before it, as PyTorch runs them by itself, its operators
 * spread over all threads: the product alone, into memory that is there already, and the whole-row
 * way of the lens, {@code linear}, {@code log_softmax}, {@code topk}, entropy.
 *
 * <p>Not thread-safe.
 */
final class PlainHead implements AutoCloseable {
  private final KernelModule kernels = new KernelModule(PlainHead.class, "plain.py");
  private final TensorKernels tensors = new TensorKernels();
  private final int threads;
  private final Tensor weight;
  private final Tensor rows;
  private final Tensor logits;

  /**
   * @param n N
   */
  PlainHead(Path folder, DType dtype, int n, int threads) throws IOException {
    this.threads = threads;
    KernelThread.useThreads(threads);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      ModelConfig config = checkpoint.config().model();
      int v = config.vocabularySize();
      int d = config.hiddenSize();
      String name = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
      weight = new TensorReader(checkpoint, tensors).read(name, dtype, v, d);
      rows = kernels.tensor("rows", n, d, dtype.scalarType());
      logits = tensors.empty(dtype, n, v);
    }
  }

  /** The product alone. */
  void product() {
    KernelThread.useThreads(threads);
    kernels.call("product", rows, weight, logits);
  }

  /**
   * The whole-row way.
   *
   * @param softmax the type in which it takes the softmax
   */
  void wholeRows(int k, DType softmax) {
    KernelThread.useThreads(threads);
    for (Tensor result : kernels.tensors("whole", rows, weight, k, softmax.scalarType())) {
      result.close();
    }
  }

  @Override
  public void close() {
    weight.close();
    rows.close();
    logits.close();
    kernels.close();
    tensors.close();
  }
}
