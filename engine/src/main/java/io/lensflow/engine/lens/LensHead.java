package io.lensflow.engine.lens;

import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RankThreads;
import io.lensflow.engine.model.Shard;
import io.lensflow.engine.model.Shard.Range;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A model's final norm and head, without the rest of it: turns rows of any layer into the tokens
 * that the model would say if that row were its last.
 *
 * <p>The vocabulary is split into runs, one for each thread or device. Within a run, {@code
 * rowBlock × columnBlock} logits exist at a time, never [N, V]; they are reduced while they are in
 * cache, and what the runs say is merged exactly. Runs share nothing, so threads meet once per
 * 1,024 rows and not in every operator. The head is held once, in the type that the checkpoint
 * stores; on the exact path each column block is converted when it is used, for all rows of a
 * block. For the two paths see {@link LensAccuracy}.
 *
 * <p>Not thread-safe; runs best always on the same thread.
 */
public final class LensHead implements AutoCloseable {
  private final ModelConfig config;
  private final String revision;
  private final LensHeadOptions options;
  private final List<VocabularyRun> runs = new ArrayList<>();
  private RankThreads threads;
  private ChunkPreparation preparation;
  private LensAccuracy fastest;
  private boolean closed;

  private LensHead(Checkpoint checkpoint, LensHeadOptions options) {
    this.config = checkpoint.config().model();
    this.revision = checkpoint.revision();
    this.options = options;
  }

  /**
   * Reads final norm and head from a checkpoint folder; no other weight is touched.
   *
   * @throws IOException if something is missing, broken or not supported; names it
   */
  public static LensHead load(Path folder, LensHeadOptions options) throws IOException {
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
    List<String> devices = options.runs();
    for (int i = 0; i < devices.size(); i++) {
      Range range = new Shard(i, devices.size()).vocabulary(config);
      // A tiny vocabulary leaves nothing for the last runs.
      if (range.count() > 0) {
        runs.add(VocabularyRun.load(checkpoint, range, devices.get(i), options));
      }
    }
    VocabularyRun first = runs.get(0);
    boolean packs = first.hasFastPath() && runs.stream().allMatch(run -> run.tensors().onHost());
    preparation =
        new ChunkPreparation(
            checkpoint, first.tensors(), first.kernels(), packs ? options.columnBlock() : 0);
    fastest = first.hasFastPath() ? LensAccuracy.FAST : LensAccuracy.EXACT;
    threads = new RankThreads("lensflow-lens", runs.size());
  }

  /** The checkpoint's shape. May be read by any thread. */
  public ModelConfig config() {
    return config;
  }

  /** The checkpoint's revision. May be read by any thread. */
  public String revision() {
    return revision;
  }

  /**
   * The least accurate path that it has: exact where the head is not stored in bfloat16. May be
   * read by any thread.
   */
  public LensAccuracy fastest() {
    return fastest;
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
    new BatchCheck(config, batch, metrics).check(translator);
    boolean fast = metrics.path() == LensAccuracy.FAST && fastest == LensAccuracy.FAST;
    LensRows result = LensRows.of(batch.n(), metrics, batch.targets());
    for (int at = 0; at < batch.n(); at += options.rowBlock()) {
      int n = Math.min(options.rowBlock(), batch.n() - at);
      try (RowChunk rows = preparation.prepare(batch, metrics, translator, fast, at, n)) {
        decode(rows, metrics, new ChunkResult(result, metrics, at, n));
      }
    }
    return result;
  }

  private void decode(RowChunk rows, LensMetrics metrics, ChunkResult result) {
    float[] targets =
        metrics.targetsPerRow() == 0
            ? null
            : onEach(run -> run.targetLogits(rows)).stream().reduce(LensHead::known).orElseThrow();
    List<RunSummary> parts = onEach(run -> run.summarise(rows, metrics, targets));
    RowSums sums = result.write(parts, targets);
    if (!metrics.needsModel()) {
      return;
    }
    ModelSums model = parts.get(0).model();
    parts.stream().skip(1).forEach(part -> model.add(part.model()));
    Divergence divergence = preparation.compare(rows, sums, model);
    if (metrics.kl()) {
      result.writeKl(divergence);
    }
    if (metrics.js()) {
      float[] lse = divergence.logSumExps();
      float[] finalLse = divergence.finalLogSumExps();
      result.writeJs(divergence, onEach(run -> run.mixture(rows, lse, finalLse)));
    }
  }

  /** Each value is known to one run of the vocabulary; the others say NaN. */
  private static float[] known(float[] one, float[] other) {
    for (int i = 0; i < one.length; i++) {
      one[i] = Float.isNaN(one[i]) ? other[i] : one[i];
    }
    return one;
  }

  private <T> List<T> onEach(Function<VocabularyRun, T> task) {
    try {
      return threads.run(i -> () -> task.apply(runs.get(i)), failure -> {});
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("no run of the vocabulary throws a checked exception", e);
    }
  }

  /** Frees all native memory. Closing twice is harmless; decoding afterwards throws. */
  @Override
  public void close() {
    closed = true;
    if (threads != null) {
      threads.close();
    }
    if (preparation != null) {
      preparation.close();
      preparation = null;
    }
    runs.forEach(VocabularyRun::close);
    runs.clear();
  }
}
