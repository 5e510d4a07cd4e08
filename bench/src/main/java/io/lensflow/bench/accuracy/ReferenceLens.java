package io.lensflow.bench.accuracy;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;

/**
 * Final norm, head and every metric of the lens in float64, over whole rows of logits. Slow, and
 * large: the head takes 8 bytes for each parameter.
 *
 * <p>Not thread-safe.
 */
final class ReferenceLens implements AutoCloseable {
  private final KernelModule kernels = new KernelModule(ReferenceLens.class, "reference.py");
  private final TensorKernels tensors = new TensorKernels();
  private final ModelConfig config;
  private final Tensor norm;
  private final Tensor head;

  /** Reads norm and head of a checkpoint. */
  ReferenceLens(Path folder) throws IOException {
    KernelThread.useThreads(Runtime.getRuntime().availableProcessors());
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      config = checkpoint.config().model();
      TensorReader reader = new TensorReader(checkpoint, tensors);
      String name = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
      norm = wide(reader, "model.norm.weight", config.hiddenSize());
      head = wide(reader, name, config.vocabularySize(), config.hiddenSize());
    }
  }

  private Tensor wide(TensorReader reader, String name, long... shape) throws IOException {
    try (Tensor stored = reader.read(name, DType.FLOAT32, shape)) {
      return kernels.tensor("double", stored);
    }
  }

  /**
   * What float64 says about n rows.
   *
   * @param metrics [n, 6]: entropy, logSumExp, logit and rank of the target, KL, JS
   * @param top [n, k+1], the greatest logits
   * @param asked [n, a], logits of the tokens that were asked for
   */
  record Metrics(double[] metrics, double[] top, double[] asked) {}

  /**
   * Decodes rows.
   *
   * @param rows [n, D], float32
   * @param finals [M, D], float32, the model's own rows
   * @param of [n], which of them belongs to each row
   * @param targets [n]
   * @param asked [n, a], token ids
   */
  Metrics decode(ByteBuffer rows, ByteBuffer finals, int[] of, int[] targets, int k, int[] asked) {
    KernelThread.useThreads(Runtime.getRuntime().availableProcessors());
    try (Tensor z = logits(rows);
        Tensor zFinal = logits(finals);
        Tensor which = indices(of);
        Tensor target = indices(targets);
        Tensor tokens = indices(asked)) {
      Tensor[] results = kernels.tensors("metrics", z, zFinal, which, target, k, tokens);
      try (Tensor metrics = results[0];
          Tensor top = results[1];
          Tensor logits = results[2]) {
        return new Metrics(values(metrics), values(top), values(logits));
      }
    }
  }

  private Tensor logits(ByteBuffer rows) {
    int n = rows.remaining() / Float.BYTES / config.hiddenSize();
    try (Tensor h = tensors.empty(DType.FLOAT32, n, config.hiddenSize())) {
      h.bytes().put(rows.duplicate());
      return kernels.tensor("logits", h, norm, config.rmsNormEps(), head);
    }
  }

  private Tensor indices(int[] values) {
    Tensor tensor = kernels.tensor("indices", values.length);
    LongBuffer buffer = tensor.bytes().asLongBuffer();
    for (int value : values) {
      buffer.put(value);
    }
    return tensor;
  }

  private static double[] values(Tensor tensor) {
    DoubleBuffer buffer = tensor.bytes().asDoubleBuffer();
    double[] values = new double[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  @Override
  public void close() {
    norm.close();
    head.close();
    kernels.close();
    tensors.close();
  }
}
