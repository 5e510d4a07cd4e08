package io.lensflow.bench.limit;

import ai.djl.engine.EngineException;
import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.checkpoint.TensorReader.Part;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelModule;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model's linear layers and head and nothing else: all layers' own weights, packed as the engine
 * packs them, run one after the other in a single kernel call. No step can be faster.
 *
 * <p>Not thread-safe; used by one thread.
 */
public final class LinearsAlone implements AutoCloseable {
  /** For how many rows the engine packs weights. */
  private static final int PACKED_FOR_ROWS = 16;

  private final KernelModule kernels = new KernelModule(LinearsAlone.class, "limits.py");
  private final TensorKernels tensors = new TensorKernels();
  private final int threads;
  private final DType dtype;
  private final List<Integer> widths = new ArrayList<>();
  private Argument weights;
  private boolean packed = true;

  private LinearsAlone(DType dtype, int threads) {
    this.dtype = dtype;
    this.threads = threads;
  }

  /** Reads and packs the weights of a checkpoint. */
  public static LinearsAlone load(Path folder, DType dtype, int threads) throws IOException {
    KernelThread.useThreads(threads);
    LinearsAlone linears = new LinearsAlone(dtype, threads);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      linears.read(checkpoint);
      return linears;
    } catch (IOException | RuntimeException | Error e) {
      linears.close();
      throw e;
    }
  }

  private void read(Checkpoint checkpoint) throws IOException {
    ModelConfig config = checkpoint.config().model();
    TensorReader reader = new TensorReader(checkpoint, tensors);
    int d = config.hiddenSize();
    int q = config.heads() * config.headSize();
    int kv = config.keyValueHeads() * config.headSize();
    int f = config.mlpSize();
    List<Tensor> all = new ArrayList<>();
    try {
      for (int layer = 0; layer < config.layers(); layer++) {
        String attention = "model.layers." + layer + ".self_attn.";
        String mlp = "model.layers." + layer + ".mlp.";
        all.add(
            fused(
                reader,
                d,
                Part.whole(attention + "q_proj.weight", q, d),
                Part.whole(attention + "k_proj.weight", kv, d),
                Part.whole(attention + "v_proj.weight", kv, d)));
        all.add(fused(reader, q, Part.whole(attention + "o_proj.weight", d, q)));
        all.add(
            fused(
                reader,
                d,
                Part.whole(mlp + "gate_proj.weight", f, d),
                Part.whole(mlp + "up_proj.weight", f, d)));
        all.add(fused(reader, f, Part.whole(mlp + "down_proj.weight", d, f)));
      }
      String head = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
      all.add(fused(reader, d, Part.whole(head, config.vocabularySize(), d)));
      weights = Argument.of(all);
    } finally {
      all.forEach(Tensor::close);
    }
  }

  private Tensor fused(TensorReader reader, int width, Part... parts) throws IOException {
    widths.add(width);
    long rows = 0;
    for (Part part : parts) {
      rows += part.rows();
    }
    Tensor plain = tensors.empty(dtype, rows, width);
    try {
      long at = 0;
      for (Part part : parts) {
        reader.readInto(plain, at, dtype, part);
        at += part.rows();
      }
      if (!packed) {
        return plain;
      }
      Tensor weight = kernels.tensor("pack", plain, PACKED_FOR_ROWS);
      plain.close();
      return weight;
    } catch (EngineException e) {
      // No packed linears of this dtype on this processor; the engine has found the same.
      packed = false;
      return plain;
    } catch (IOException | RuntimeException e) {
      plain.close();
      throw e;
    }
  }

  /**
   * Work for {@code rows} rows.
   *
   * @param headRows how many of them go through the head
   */
  public Pass pass(int rows, int headRows) {
    List<Tensor> inputs = new ArrayList<>();
    List<Tensor> made = new ArrayList<>();
    try {
      for (int i = 0; i < widths.size(); i++) {
        boolean head = i == widths.size() - 1;
        try (Argument shape = Argument.of(head ? headRows : rows, widths.get(i))) {
          Tensor input = kernels.tensor("ones", shape, dtype.scalarType());
          made.add(input);
          inputs.add(input);
        }
      }
      return new Pass(Argument.of(inputs));
    } finally {
      made.forEach(Tensor::close);
    }
  }

  /** All linears for a number of rows. */
  public final class Pass implements AutoCloseable {
    private final Argument inputs;

    private Pass(Argument inputs) {
      this.inputs = inputs;
    }

    /** Runs every linear once. */
    public void run() {
      KernelThread.useThreads(threads);
      kernels.tensor("linears", inputs, weights).close();
    }

    @Override
    public void close() {
      inputs.close();
    }
  }

  @Override
  public void close() {
    if (weights != null) {
      weights.close();
    }
    tensors.close();
    kernels.close();
  }
}
