package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.TargetMetrics;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/**
 * What a lens must say of the rows of a case at one hook point: [L, N] each, and five top tokens.
 */
final class GoldenMetrics {
  private static final int K = 5;
  private static final float TOLERANCE = 1e-3f;

  final int layers;
  final int rows;
  final long[] topIds;
  final float[] topLogits;
  final float[] logSumExp;
  private final float[] topProbabilities;
  private final float[] entropy;
  private final float[] targetLogits;
  private final float[] targetLogProbabilities;
  private final long[] targetRanks;
  private final float[] kl;
  private final float[] js;

  GoldenMetrics(SafetensorsFile file, String name, HookPoint hookPoint) throws IOException {
    String lens = prefix(name, hookPoint);
    List<Long> shape = file.tensor(lens + "entropy").shape();
    layers = Math.toIntExact(shape.get(0));
    rows = Math.toIntExact(shape.get(1));
    topIds = GoldenCase.longs(file, lens + "top_ids");
    topLogits = GoldenCase.floats(file, lens + "top_logits");
    topProbabilities = GoldenCase.floats(file, lens + "top_probs");
    entropy = GoldenCase.floats(file, lens + "entropy");
    logSumExp = GoldenCase.floats(file, lens + "log_sum_exp");
    targetLogits = GoldenCase.floats(file, lens + "target_logit");
    targetLogProbabilities = GoldenCase.floats(file, lens + "target_logprob");
    targetRanks = GoldenCase.longs(file, lens + "target_rank");
    kl = GoldenCase.floats(file, lens + "kl");
    js = GoldenCase.floats(file, lens + "js");
  }

  static boolean isIn(SafetensorsFile file, String name, HookPoint hookPoint) {
    return file.has(prefix(name, hookPoint) + "entropy");
  }

  private static String prefix(String name, HookPoint hookPoint) {
    return name + ".lens." + hookPoint.name().toLowerCase(Locale.ROOT) + ".";
  }

  /**
   * Compares a result that holds every metric; the token that came next is its first target.
   *
   * @param probabilities how far probabilities may be off: 1e-5 where the rows are the golden ones,
   *     more where another implementation's rounding is in them
   */
  void assertEqualsIn(LensResult result, float probabilities) {
    assertThat(result.getTopK()).isEqualTo(K);
    int row = 0;
    for (int layer : result.getLayers()) {
      for (int position : result.getPositions()) {
        int at = layer * rows + position;
        String where = "%s layer %d position %d".formatted(result.getRequestId(), layer, position);
        close(result.getEntropy(), row, entropy[at], TOLERANCE, where + " entropy");
        close(result.getLogSumExp(), row, logSumExp[at], TOLERANCE, where + " logSumExp");
        close(result.getKl(), row, kl[at], TOLERANCE + 1e-4f * kl[at], where + " kl");
        close(result.getJs(), row, js[at], TOLERANCE, where + " js");
        top(result, row, at, probabilities, where);
        target(result.getTargets(), row, at, where);
        row++;
      }
    }
  }

  private void top(LensResult result, int row, int at, float probabilities, String where) {
    for (int rank = 0; rank < K; rank++) {
      int mine = row * K + rank;
      int theirs = at * K + rank;
      close(result.getTopLogits(), mine, topLogits[theirs], TOLERANCE, where + " top logit");
      close(
          result.getTopProbabilities(),
          mine,
          topProbabilities[theirs],
          probabilities,
          where + " top probability");
      if (isClear(theirs, rank)) {
        assertThat(result.getTopIds().get(mine)).as(where).isEqualTo((int) topIds[theirs]);
      }
    }
  }

  private void target(TargetMetrics targets, int row, int at, String where) {
    int mine = row * targets.getTargetsPerRow();
    close(targets.getLogits(), mine, targetLogits[at], TOLERANCE, where + " target logit");
    close(
        targets.getLogProbabilities(),
        mine,
        targetLogProbabilities[at],
        TOLERANCE,
        where + " target log-probability");
    assertThat((double) targets.getRanks().get(mine))
        .as(where + " target rank")
        .isCloseTo(targetRanks[at], within(1 + 1e-3 * targetRanks[at]));
  }

  private static void close(
      List<Float> values, int at, float expected, float tolerance, String what) {
    assertThat(values.get(at)).as(what).isCloseTo(expected, within(tolerance));
  }

  /** Whether rounding cannot swap this token with a neighbour. */
  private boolean isClear(int at, int rank) {
    float logit = topLogits[at];
    return (rank == 0 || topLogits[at - 1] - logit > TOLERANCE)
        && (rank == K - 1 || logit - topLogits[at + 1] > TOLERANCE);
  }
}
