package io.lensflow.engine.lens;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.TensorReader;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.Shard.Range;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;

/**
 * A run of the vocabulary: its rows of the head, on one device, in the type that the checkpoint
 * stores. Rows go through it block by block of its columns, and each block is reduced before the
 * next.
 *
 * <p>Used by one thread at a time, best always the same one; its operators stay on that thread.
 */
final class VocabularyRun implements AutoCloseable {
  /**
   * Tokens per row that the fast path computes again in float32, over all runs: those that hold
   * most of the probability, and those that a bfloat16 logit may have displaced.
   */
  private static final int CANDIDATES = 48;

  /** How many a run keeps at least beyond those that are asked for. */
  private static final int SPARE = 8;

  private final int first;
  private final int count;
  private final int hiddenSize;
  private final DType stored;
  private final LensHeadOptions options;
  private final TensorKernels tensors;
  private final LensKernels kernels = new LensKernels();
  private Tensor head;
  private final RunScratch[] scratch = new RunScratch[2];

  private VocabularyRun(
      Checkpoint checkpoint, Range range, DType stored, String device, LensHeadOptions options) {
    this.first = range.first();
    this.count = range.count();
    this.hiddenSize = checkpoint.config().model().hiddenSize();
    this.stored = stored;
    this.options = options;
    this.tensors = new TensorKernels(device);
  }

  /** Reads a run of the head, and no other weight. */
  static VocabularyRun load(
      Checkpoint checkpoint, Range range, String device, LensHeadOptions options)
      throws IOException {
    ModelConfig config = checkpoint.config().model();
    String name = config.tiedHead() ? "model.embed_tokens.weight" : "lm_head.weight";
    DType stored = checkpoint.storedType(name);
    VocabularyRun run = new VocabularyRun(checkpoint, range, stored, device, options);
    try {
      TensorReader reader = new TensorReader(checkpoint, new TensorKernels());
      TensorReader.Part part =
          TensorReader.Part.rows(
              name, run.first, run.count, config.vocabularySize(), config.hiddenSize());
      run.head = run.tensors.onDevice(reader.read(stored, part));
      return run;
    } catch (IOException | RuntimeException | Error e) {
      run.close();
      throw e;
    }
  }

  /** Where it is. */
  TensorKernels tensors() {
    return tensors;
  }

  LensKernels kernels() {
    return kernels;
  }

  /** Whether the fast path differs from the exact one. */
  boolean hasFastPath() {
    return stored == DType.BFLOAT16;
  }

  /** Logits of the targets: [n, T], of those that are in this run; NaN for all others. */
  float[] targetLogits(RowChunk rows) {
    try (Tensor x = tensors.fetch(rows.precise())) {
      return single(x, rows.n(), rows.targets());
    }
  }

  /** Logits of single tokens, [n, C] as their ids; NaN for those that are not in this run. */
  private float[] single(Tensor x, int n, int[] ids) {
    KernelThread.useThreads(1);
    int[] local = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      local[i] = Math.max(0, Math.min(count - 1, ids[i] - first));
    }
    float[] logits = new float[ids.length];
    try (Tensor at = kernels.ids(tensors, n, ids.length / n, local);
        Tensor z = tensors.toHost(kernels.single(x, head, at))) {
      z.bytes().asFloatBuffer().get(logits);
    }
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < first || ids[i] >= first + count) {
        logits[i] = Float.NaN;
      }
    }
    return logits;
  }

  /**
   * Sends rows through this run.
   *
   * @param targetLogits [n, T]; null where no targets are asked for
   */
  RunSummary summarise(RowChunk rows, LensMetrics metrics, float[] targetLogits) {
    KernelThread.useThreads(1);
    boolean fast = rows.rounded() != null;
    int k = candidates(metrics.topK(), fast);
    TopTokens top = k == 0 ? null : new TopTokens(rows.n(), k);
    RowSums sums = new RowSums(rows.n());
    ModelSums model = null;
    int[] greater = null;
    RunScratch room = scratch(fast);
    try (Tensor x = tensors.fetch(fast ? rows.rounded() : rows.x());
        TargetCounts targets = TargetCounts.of(rows, targetLogits, tensors, kernels);
        ModelPass own =
            metrics.needsModel() ? new ModelPass(rows, hiddenSize, tensors, kernels) : null) {
      for (int at = 0; at < count; at += options.columnBlock()) {
        int columns = Math.min(options.columnBlock(), count - at);
        int group = RunScratch.group(columns);
        try (Tensor slice = tensors.rows(head, at, columns);
            Tensor w = kernels.weights(slice, room.weight());
            Tensor z =
                kernels.block(
                    x, w, rows.n(), room, group, metrics.weighted(), first + at, targets)) {
          room.addTo(sums, z, metrics.weighted());
          if (top != null) {
            room.addTo(top, z, first + at, columns);
          }
          targets.add();
          if (own != null) {
            own.add(w);
          }
        }
      }
      model = own == null ? null : own.sums();
      greater = targets.greater();
    }
    if (top != null) {
      top = rescore(rows, top, sums, targetLogits, greater);
    }
    return new RunSummary(sums, top, greater, model);
  }

  /**
   * How many tokens a run keeps of a row. The exact path needs them where probabilities are asked
   * for, which are then right to the last digits of float32.
   */
  private int candidates(int k, boolean fast) {
    int runs = options.runs().size();
    int least = fast ? (CANDIDATES + runs - 1) / runs : 0;
    return k == 0 && !fast ? 0 : Math.min(count, Math.max(k + SPARE, least));
  }

  /**
   * Computes candidates again, in float32 on the fast path, in float64 on the exact one, and puts
   * them in the places of their approximations: in the order of tokens, in the sums, and in the
   * ranks of targets that are among them.
   */
  private TopTokens rescore(
      RowChunk rows, TopTokens candidates, RowSums sums, float[] targetLogits, int[] greater) {
    int n = rows.n();
    int k = candidates.k();
    int[] ids = candidates.ids();
    float[] logits;
    try (Tensor x = tensors.fetch(rows.precise())) {
      logits = single(x, n, ids);
    }
    TopTokens exact = new TopTokens(n, k);
    for (int row = 0; row < n; row++) {
      for (int i = 0; i < k; i++) {
        int at = row * k + i;
        sums.replace(row, candidates.logit(row, i), logits[at]);
        exact.offer(row, logits[at], ids[at]);
      }
    }
    for (int i = 0; greater != null && i < greater.length; i++) {
      int row = i / rows.targetsPerRow();
      if (targetLogits[i] >= exact.logit(row, k - 1)) {
        greater[i] = exact.greaterThan(row, targetLogits[i], rows.targets()[i]);
      }
    }
    return exact;
  }

  /**
   * The second pass of the Jensen–Shannon divergence, when the sums over the whole vocabulary are
   * known.
   *
   * @param logSumExp [n], of the lens
   * @param finalLogSumExp [M], of the model
   * @return [n], this run's share of Σ (p+q)·ln(p+q)
   */
  float[] mixture(RowChunk rows, float[] logSumExp, float[] finalLogSumExp) {
    KernelThread.useThreads(1);
    RunScratch room = scratch(false);
    float[] result = new float[rows.n()];
    try (Tensor x = tensors.fetch(rows.x());
        Tensor finals = tensors.fetch(rows.finals());
        Tensor of = kernels.ids(tensors, 1, rows.n(), rows.finalOf());
        Tensor lse = kernels.matrix(tensors, rows.n(), 1, logSumExp);
        Tensor finalLse = kernels.matrix(tensors, rows.finalCount(), 1, finalLogSumExp);
        Tensor sums = kernels.matrix(tensors, rows.n(), 1, result)) {
      LensKernels.Pair pair = new LensKernels.Pair(x, lse, finals, finalLse, of);
      for (int at = 0; at < count; at += options.columnBlock()) {
        int columns = Math.min(options.columnBlock(), count - at);
        try (Tensor slice = tensors.rows(head, at, columns);
            Tensor w = kernels.weights(slice, room.weight())) {
          kernels.mixtureBlock(pair, w, room.logits(), sums);
        }
      }
      try (Tensor own = tensors.toHost(tensors.rows(sums, 0, rows.n()))) {
        own.bytes().asFloatBuffer().get(result);
      }
    }
    return result;
  }

  /** Scratch of a path, made when it is first used. */
  private RunScratch scratch(boolean fast) {
    int path = fast ? 1 : 0;
    if (scratch[path] == null) {
      scratch[path] = new RunScratch(tensors, kernels, options, count, hiddenSize, fast, stored);
    }
    return scratch[path];
  }

  @Override
  public void close() {
    if (head != null) {
      head.close();
    }
    for (RunScratch room : scratch) {
      if (room != null) {
        room.close();
      }
    }
    kernels.close();
    tensors.close();
  }
}
