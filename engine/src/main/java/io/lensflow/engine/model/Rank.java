package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.capture.CaptureStaging;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.engine.model.Shard.Range;
import io.lensflow.engine.steering.StepSteering;
import io.lensflow.engine.steering.StepSteering.Edits;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * One tensor-parallel rank: its share of weights, keys and values, and the pass over all layers.
 * With others it meets twice a layer; alone it runs all layers in one kernel.
 *
 * <p>Loaded, run and closed by one thread at a time, best always the same one.
 */
final class Rank implements AutoCloseable {
  private static final Argument NOTHING = Argument.of(new long[0]);
  private static final Argument NO_TENSORS = Argument.of(List.of());
  private static final Edits UNSTEERED = Edits.none();

  private final Shard shard;
  private final ModelConfig config;
  private final DType dtype;
  private final int threads;
  private final TensorKernels tensors;
  private final TransformerKernels kernels;
  private final Weights weights;
  private final KvCache cache;
  private final Argument columns;
  private final long kvBytes;

  /** The last step's steering, and what was made of it; null before the first. */
  private StepSteering steered;

  private Edits edits;

  private Rank(
      Shard shard,
      ModelConfig config,
      DType dtype,
      int threads,
      int kvTokens,
      TensorKernels tensors,
      TransformerKernels kernels,
      Weights weights) {
    this.shard = shard;
    this.config = config;
    this.dtype = dtype;
    this.threads = threads;
    this.tensors = tensors;
    this.kernels = kernels;
    this.weights = weights;
    int heads = shard.keyValueHeads(config).count();
    this.cache = new KvCache(tensors, config, heads, dtype, kvTokens);
    this.kvBytes =
        2L * config.layers() * heads * (kvTokens + 1) * config.headSize() * dtype.bytes();
    Range own = shard.columns(config);
    this.columns = Argument.of(own.first(), own.count());
  }

  /**
   * Loads a rank's share, on the calling thread.
   *
   * @param device {@code cpu} or such as {@code cuda:0}
   * @param threads threads that its operators spread over, on the CPU
   * @param kvTokens rows of its pool
   */
  static Rank load(
      Checkpoint checkpoint,
      Shard shard,
      String device,
      DType dtype,
      int threads,
      int kvTokens,
      LongConsumer progress)
      throws IOException {
    KernelThread.useThreads(threads);
    TensorKernels tensors = new TensorKernels(device);
    TransformerKernels kernels = new TransformerKernels();
    Weights weights = null;
    try {
      weights = new WeightsLoader(checkpoint, shard, dtype, tensors, kernels, progress).load();
      return new Rank(
          shard, checkpoint.config().model(), dtype, threads, kvTokens, tensors, kernels, weights);
    } catch (IOException | RuntimeException | Error e) {
      if (weights != null) {
        weights.close();
      }
      tensors.close();
      kernels.close();
      throw e;
    }
  }

  /**
   * What a rank gives for a pass, for its own part of the vocabulary. Closed by the receiver.
   *
   * @param logits float32 [M, V'], or null if none leave the device
   * @param vocabulary how many of the V' columns are the rank's own
   * @param summaries per row that went through the head
   */
  record Output(Tensor logits, int vocabulary, HeadSummary[] summaries) implements AutoCloseable {
    private static final Output NONE = new Output(null, 0, new HeadSummary[0]);

    /** The logits, row-major. */
    FloatBuffer values() {
      return logits.bytes().asFloatBuffer();
    }

    /** V'. */
    int width() {
      return values().remaining() / summaries.length;
    }

    @Override
    public void close() {
      if (logits != null) {
        logits.close();
      }
    }
  }

  /**
   * Runs a pass.
   *
   * @param kinds per layer which keys it sees
   * @param steering what is steered
   * @param staging where rows are set aside; null if the pass captures nothing
   * @param reduce where ranks sum up; null for a rank that is alone
   * @param keepLogits whether any row's logits leave the device
   */
  Output run(
      StepLayout layout,
      Argument kinds,
      StepSteering steering,
      CaptureStaging staging,
      AllReduce reduce,
      boolean keepLogits) {
    KernelThread.useThreads(threads);
    if (layout.clears().length > 0) {
      kernels.clear(cache, layout.clears());
    }
    TransformerKernels.Taps taps =
        new TransformerKernels.Taps(
            columns,
            staging == null ? NOTHING : staging.slots(),
            staging == null ? NO_TENSORS : staging.stages(shard.rank()),
            edits(steering));
    try (StepTensors step =
            StepTensors.of(layout, kinds, weights.frequencies(), dtype, tensors, kernels);
        Tensor x = reduce == null ? alone(step, taps) : together(step, taps, reduce)) {
      if (staging != null) {
        staging.fetch(shard.rank(), layout.ids().length);
      }
      if (step.headRows() == null) {
        // Waits until the device has come so far, and with it the rows.
        tensors.toHost(tensors.rows(x, 0, 1)).close();
        return Output.NONE;
      }
      return head(x, step.headRows(), keepLogits);
    }
  }

  /** What the kernels are told; as a rule a step is steered as the one before. */
  private Edits edits(StepSteering steering) {
    if (steering.isEmpty()) {
      return UNSTEERED;
    }
    if (steered == null || !steering.isSameAs(steered)) {
      forgetEdits();
      edits = steering.edits(tensors, shard.rank(), config.layers());
      steered = steering;
    }
    return edits;
  }

  private void forgetEdits() {
    steered = null;
    if (edits != null) {
      edits.close();
      edits = null;
    }
  }

  private Tensor alone(StepTensors step, TransformerKernels.Taps taps) {
    try (Tensor x = kernels.embed(weights, step.ids())) {
      return kernels.blocks(x, config.layers(), weights, cache, step.attention(), taps);
    }
  }

  private Tensor together(StepTensors step, TransformerKernels.Taps taps, AllReduce reduce) {
    int rank = shard.rank();
    Rendezvous rendezvous = reduce.rendezvous();
    Tensor x = kernels.embed(weights, step.ids());
    try {
      kernels.leave(x, reduce.mlp(), rank);
      for (int layer = 0; layer < config.layers(); layer++) {
        rendezvous.meet();
        x =
            replace(
                x,
                kernels.rankAttention(
                    x,
                    layer,
                    reduce.mlp(),
                    reduce.attention(),
                    rank,
                    weights,
                    cache,
                    step.attention(),
                    taps));
        rendezvous.meet();
        x =
            replace(
                x,
                kernels.rankMlp(x, layer, reduce.attention(), reduce.mlp(), rank, weights, taps));
      }
      rendezvous.meet();
      return kernels.rankFinish(x, config.layers() - 1, reduce.mlp(), rank, taps);
    } finally {
      x.close();
    }
  }

  private static Tensor replace(Tensor before, Tensor after) {
    before.close();
    return after;
  }

  private Output head(Tensor x, Tensor rows, boolean keepLogits) {
    Tensor[] pair = kernels.head(x, rows, weights);
    Tensor logits = keepLogits ? tensors.toHost(pair[0]) : pair[0];
    try (Tensor summary = tensors.toHost(pair[1])) {
      FloatBuffer values = summary.bytes().asFloatBuffer();
      HeadSummary[] summaries = new HeadSummary[values.remaining() / 3];
      for (int i = 0; i < summaries.length; i++) {
        int id = weights.vocabulary().first() + (int) values.get(3 * i);
        summaries[i] = new HeadSummary(id, values.get(3 * i + 1), values.get(3 * i + 2));
      }
      return new Output(keepLogits ? logits : null, weights.vocabulary().count(), summaries);
    } finally {
      if (!keepLogits) {
        logits.close();
      }
    }
  }

  /** Allocates on the rank's device. */
  TensorKernels tensors() {
    return tensors;
  }

  /** What it holds of the model. */
  Weights weights() {
    return weights;
  }

  RankInfo info() {
    return new RankInfo(
        shard.rank(), tensors.device(), weights.bytesRead(), weights.bytesHeld(), kvBytes);
  }

  @Override
  public void close() {
    forgetEdits();
    cache.close();
    weights.close();
    columns.close();
    kernels.close();
    tensors.close();
  }
}
