package io.lensflow.bench.accuracy;

import io.lensflow.bench.accuracy.ReferenceLens.Metrics;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Holds both paths of the lens to float64, over rows of every layer of text that the model writes,
 * half of it sampled at temperature 1.
 *
 * <p>Not thread-safe.
 */
final class LensAccuracyTrial {
  private static final int TOP_K = 5;

  /** Tokens of one text. */
  private static final int NEW_TOKENS = 96;

  /** Positions that float64 takes at a time: whole rows of logits of all layers. */
  private static final int POSITIONS = 8;

  private final Path model;
  private final PathAccuracy exact = new PathAccuracy(LensAccuracy.EXACT);
  private final PathAccuracy fast = new PathAccuracy(LensAccuracy.FAST);
  private int pairs;

  LensAccuracyTrial(Path model) {
    this.model = model;
  }

  /**
   * Decodes at least so many (row, layer) pairs.
   *
   * @param progress hears how many pairs are done
   */
  void run(int wanted, IntConsumer progress) throws IOException {
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(512);
    try (Engine engine = EngineLoader.load(model, options);
        LensHead head = LensHead.load(model, LensHeadOptions.defaults());
        ReferenceLens reference = new ReferenceLens(model)) {
      for (int text = 0; pairs < wanted; text++) {
        boolean sampled = text % 2 == 1;
        // A small trial takes short texts, so that both kinds are in it.
        int left = (wanted - pairs) / engine.config().layers() / 2;
        int tokens = Math.max(POSITIONS, Math.min(NEW_TOKENS, left));
        TextRows rows = TextRows.write(engine, text / 2, tokens, sampled);
        for (int from = 0; from < rows.positions(); from += POSITIONS) {
          compare(rows, from, Math.min(POSITIONS, rows.positions() - from), head, reference);
        }
        pairs += rows.layers() * rows.positions();
        progress.accept(pairs);
      }
    }
  }

  private void compare(
      TextRows text, int from, int positions, LensHead head, ReferenceLens reference) {
    int n = text.layers() * positions;
    ByteBuffer rows = gather(text, from, positions);
    int finalBytes = rows.capacity() / text.layers();
    ByteBuffer finals = rows.slice(rows.capacity() - finalBytes, finalBytes);
    int[] of = IntStream.range(0, n).map(row -> row % positions).toArray();
    int[] targets =
        IntStream.range(0, n).map(row -> text.targets()[from + row % positions]).toArray();
    LensBatch batch =
        LensBatch.of(rows, DType.FLOAT32, n).withTargets(targets).withFinalRows(finals, of);
    LensMetrics all = new LensMetrics(TOP_K, true, true, 1, true, true, LensAccuracy.EXACT);
    LensMetrics few = new LensMetrics(TOP_K, true, true, 1, false, false, LensAccuracy.FAST);
    LensRows decodedExactly = head.decode(batch, all);
    LensRows decodedFast = head.decode(batch, few);
    int[] asked = sideBySide(decodedExactly.topIds(), decodedFast.topIds());
    Metrics metrics = reference.decode(rows, finals, of, targets, TOP_K, asked);
    exact.add(decodedExactly, metrics, 0);
    fast.add(decodedFast, metrics, TOP_K);
  }

  /** [n, 2k] of two [n, k]. */
  private static int[] sideBySide(int[] left, int[] right) {
    int[] both = new int[left.length + right.length];
    for (int at = 0; at < left.length; at += TOP_K) {
      System.arraycopy(left, at, both, 2 * at, TOP_K);
      System.arraycopy(right, at, both, 2 * at + TOP_K, TOP_K);
    }
    return both;
  }

  /** [L, positions, D] of [L, T, D]. */
  private static ByteBuffer gather(TextRows text, int from, int positions) {
    ByteBuffer payload = text.rows().payload();
    int rowBytes = text.rows().hiddenSize() * Float.BYTES;
    ByteBuffer rows =
        ByteBuffer.allocateDirect(text.layers() * positions * rowBytes)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer = 0; layer < text.layers(); layer++) {
      int at = payload.position() + (layer * text.positions() + from) * rowBytes;
      rows.put(payload.slice(at, positions * rowBytes));
    }
    return rows.flip();
  }

  /** Pairs decoded so far. */
  int pairs() {
    return pairs;
  }

  /** What was found of each path. */
  List<PathAccuracy> paths() {
    return List.of(exact, fast);
  }
}
