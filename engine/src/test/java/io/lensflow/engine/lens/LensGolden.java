package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.Golden;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.VectorReader;
import java.io.IOException;
import java.util.List;

/** Compares what a lens says with what transformers' logits say, in float64. */
public final class LensGolden {
  private static final float TOLERANCE = 1e-3f;

  /** Names of the golden tensors of a hook point. */
  public static final List<String> METRICS =
      List.of(
          "top_ids",
          "top_logits",
          "top_probs",
          "entropy",
          "log_sum_exp",
          "target_logit",
          "target_logprob",
          "target_rank",
          "kl",
          "js");

  private LensGolden() {}

  /** Compares tensors of the golden names in a file, {@code filePrefix} before them. */
  public static void compare(Golden golden, String prefix, SafetensorsFile file, String filePrefix)
      throws IOException {
    int[] topIds = Golden.integers(file, filePrefix + "top_ids");
    float[] entropy = VectorReader.read(file, filePrefix + "entropy");
    LensRows rows =
        new LensRows(
            topIds.length / entropy.length,
            topIds,
            VectorReader.read(file, filePrefix + "top_logits"),
            VectorReader.read(file, filePrefix + "top_probs"),
            entropy,
            VectorReader.read(file, filePrefix + "log_sum_exp"),
            new LensTargets(
                1,
                null,
                VectorReader.read(file, filePrefix + "target_logit"),
                VectorReader.read(file, filePrefix + "target_logprob"),
                Golden.integers(file, filePrefix + "target_rank")),
            VectorReader.read(file, filePrefix + "kl"),
            VectorReader.read(file, filePrefix + "js"));
    compare(golden, prefix, rows, TOLERANCE);
  }

  /**
   * Compares with golden metrics over the same rows.
   *
   * @param probabilityTolerance 1e-5 for the golden rows themselves, 1e-3 for the engine's own,
   *     which differ from them by rounding
   */
  public static void compare(
      Golden golden, String prefix, LensRows rows, float probabilityTolerance) throws IOException {
    int k = rows.k();
    int[] topIds = golden.integers(prefix + "top_ids");
    float[] topLogits = golden.floats(prefix + "top_logits");
    assertClose(rows.topLogits(), topLogits, TOLERANCE, prefix + "top_logits");
    assertClose(
        rows.topProbabilities(),
        golden.floats(prefix + "top_probs"),
        probabilityTolerance,
        prefix + "top_probs");
    assertClose(rows.entropy(), golden.floats(prefix + "entropy"), TOLERANCE, prefix + "entropy");
    assertClose(rows.logSumExp(), golden.floats(prefix + "log_sum_exp"), TOLERANCE, prefix + "lse");
    if (rows.targets() != null) {
      compareTargets(golden, prefix, rows.targets());
    }
    if (rows.kl() != null) {
      compareKl(golden.floats(prefix + "kl"), rows.kl(), prefix + "kl");
    }
    if (rows.js() != null) {
      assertClose(rows.js(), golden.floats(prefix + "js"), TOLERANCE, prefix + "js");
    }
    for (int i = 0; i < topIds.length; i++) {
      boolean clearAbove = i % k == 0 || topLogits[i - 1] - topLogits[i] > TOLERANCE;
      boolean clearBelow = i % k < k - 1 && topLogits[i] - topLogits[i + 1] > TOLERANCE;
      if (clearAbove && clearBelow) {
        assertThat(rows.topIds()[i]).as("%stop_ids[%d]", prefix, i).isEqualTo(topIds[i]);
      }
    }
  }

  private static void compareTargets(Golden golden, String prefix, LensTargets targets)
      throws IOException {
    assertClose(
        targets.logits(), golden.floats(prefix + "target_logit"), TOLERANCE, prefix + "logit");
    assertClose(
        targets.logProbabilities(),
        golden.floats(prefix + "target_logprob"),
        TOLERANCE,
        prefix + "logprob");
    int[] ranks = golden.integers(prefix + "target_rank");
    assertThat(targets.ranks()).hasSameSizeAs(ranks);
    for (int i = 0; i < ranks.length; i++) {
      assertThat((double) targets.ranks()[i])
          .as("%starget_rank[%d]", prefix, i)
          .isEqualTo(ranks[i], within(1 + 1e-3 * ranks[i]));
    }
  }

  private static void compareKl(float[] expected, float[] actual, String name) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i])
          .as("%s[%d]", name, i)
          .isNotNegative()
          .isEqualTo(expected[i], within(TOLERANCE + 1e-4f * Math.abs(expected[i])));
    }
  }

  private static void assertClose(float[] actual, float[] expected, float by, String name) {
    assertThat(actual).as(name).containsExactly(expected, within(by));
  }

  /** Holds the fast path to its promise, against the exact one on the same rows. */
  static void compareFast(LensRows fast, LensRows exact) {
    int k = exact.k();
    int n = exact.entropy().length;
    int over = 0;
    for (int row = 0; row < n; row++) {
      if (Math.abs(fast.entropy()[row] - exact.entropy()[row]) > 0.1
          || Math.abs(fast.logSumExp()[row] - exact.logSumExp()[row]) > 0.1) {
        over++;
      }
      int rank = exact.targets().ranks()[row];
      if (rank <= k) {
        assertThat(fast.targets().ranks()[row]).isBetween(rank - 1, rank + 1);
      }
      for (int i = row * k; i < row * k + k; i++) {
        assertThat(fast.topProbabilities()[i])
            .isEqualTo(exact.topProbabilities()[i], within(5e-3f));
        boolean clearAbove = i % k == 0 || exact.topLogits()[i - 1] - exact.topLogits()[i] > 1e-2;
        boolean clearBelow =
            i % k < k - 1 && exact.topLogits()[i] - exact.topLogits()[i + 1] > 1e-2;
        if (clearAbove && clearBelow) {
          assertThat(fast.topIds()[i]).isEqualTo(exact.topIds()[i]);
        }
      }
    }
    assertThat(over).isLessThanOrEqualTo(n / 1000);
  }
}
