package io.lensflow.bench.accuracy;

import io.lensflow.bench.accuracy.ReferenceLens.Metrics;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTargets;
import java.util.ArrayList;
import java.util.List;

/**
 * How far one path of the lens is from float64, metric by metric, held to what that path promises.
 *
 * <p>Not thread-safe.
 */
final class PathAccuracy {
  /** Numbers of a row in {@link Metrics#metrics}. */
  private static final int FIELDS = 6;

  /** What a path promises. */
  private record Promise(double probability, double logit, double sums, double gap) {}

  private static final Promise EXACT = new Promise(1e-5, 1e-3, 1e-3, 1e-3);
  private static final Promise FAST = new Promise(5e-3, 1e-1, 0.1, 1e-2);
  private static final double RANK_SHARE = 1e-3;

  /** Ranks that the fast path has exactly; deeper ones are approximate there. */
  private static final int CERTAIN_RANK = 24;

  /** The share of fast entropies and log sums that may break their bound. */
  private static final double FAST_EXCEPTIONS = 1e-3;

  private final LensAccuracy path;
  private final Promise promise;
  private final Deviations ids = new Deviations("top ids");
  private final Deviations probability = new Deviations("probability");
  private final Deviations topLogit = new Deviations("top logit");
  private final Deviations entropy = new Deviations("entropy");
  private final Deviations logSumExp = new Deviations("logSumExp");
  private final Deviations logProbability = new Deviations("target log-prob.");
  private final Deviations rank = new Deviations("target rank ≤ " + CERTAIN_RANK);
  private final Deviations deepRank = new Deviations("deeper, ÷ rank");
  private final Deviations kl = new Deviations("KL");
  private final Deviations js = new Deviations("JS");

  PathAccuracy(LensAccuracy path) {
    this.path = path;
    this.promise = path == LensAccuracy.FAST ? FAST : EXACT;
  }

  LensAccuracy path() {
    return path;
  }

  /**
   * Takes in rows.
   *
   * @param rows what the path says
   * @param reference what float64 says; asked for the path's own top tokens, among others
   * @param firstAsked where the path's own begin among those that were asked for of a row
   */
  void add(LensRows rows, Metrics reference, int firstAsked) {
    int n = rows.entropy().length;
    for (int row = 0; row < n; row++) {
      double lse = reference.metrics()[row * FIELDS + 1];
      entropy.add(rows.entropy()[row] - reference.metrics()[row * FIELDS], promise.sums());
      logSumExp.add(rows.logSumExp()[row] - lse, promise.sums());
      addTop(rows, reference, row, firstAsked, lse);
      addTarget(rows.targets(), reference, row, lse);
      if (rows.kl() != null) {
        double expected = reference.metrics()[row * FIELDS + 4];
        kl.add(rows.kl()[row] - expected, 1e-3 + 1e-4 * Math.abs(expected));
        js.add(rows.js()[row] - reference.metrics()[row * FIELDS + 5], 1e-3);
      }
    }
  }

  /**
   * The path's token at a place is right if float64 gives it the logit of that place, or one so
   * near that neighbours count as equal.
   */
  private void addTop(LensRows rows, Metrics reference, int row, int firstAsked, double lse) {
    int k = rows.k();
    int width = reference.asked().length / rows.entropy().length;
    for (int i = 0; i < k; i++) {
      double own = reference.asked()[row * width + firstAsked + i];
      ids.add(own - reference.top()[row * (k + 1) + i], promise.gap());
      topLogit.add(rows.topLogits()[row * k + i] - own, promise.logit());
      probability.add(
          rows.topProbabilities()[row * k + i] - Math.exp(own - lse), promise.probability());
    }
  }

  private void addTarget(LensTargets targets, Metrics reference, int row, double lse) {
    double logit = reference.metrics()[row * FIELDS + 2];
    double expected = reference.metrics()[row * FIELDS + 3];
    logProbability.add(targets.logProbabilities()[row] - (logit - lse), promise.sums());
    double deviation = targets.ranks()[row] - expected;
    if (expected <= CERTAIN_RANK) {
      rank.add(deviation, 1);
    } else {
      deepRank.add(deviation / expected, 1 / expected + RANK_SHARE);
    }
  }

  /** All metrics that were computed. */
  List<Deviations> all() {
    List<Deviations> all =
        new ArrayList<>(
            List.of(
                ids, probability, topLogit, entropy, logSumExp, logProbability, rank, deepRank));
    if (kl.count() > 0) {
      all.add(kl);
      all.add(js);
    }
    return all;
  }

  /** Metrics that break what the path promises. */
  List<String> broken() {
    List<String> names = new ArrayList<>();
    for (Deviations metric : all()) {
      boolean stated =
          path == LensAccuracy.EXACT || metric == ids || metric == probability || metric == rank;
      boolean mostly = metric == entropy || metric == logSumExp;
      if (stated && metric.broken() > 0
          || path == LensAccuracy.FAST && mostly && metric.brokenShare() > FAST_EXCEPTIONS) {
        names.add(metric.name());
      }
    }
    return names;
  }
}
