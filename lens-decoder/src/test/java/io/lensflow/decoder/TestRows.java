package io.lensflow.decoder;

import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTargets;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The metrics of a few logits, as their definitions read: what a head must say of rows. */
final class TestRows {
  private final LensMetrics metrics;
  private final int[] topIds;
  private final float[] topLogits;
  private final float[] topProbabilities;
  private final float[] entropy;
  private final float[] logSumExp;
  private final LensTargets targets;
  private final float[] kl;
  private final float[] js;

  TestRows(int n, LensMetrics metrics) {
    this.metrics = metrics;
    int k = metrics.topK();
    int t = metrics.targetsPerRow();
    topIds = new int[n * k];
    topLogits = new float[n * k];
    topProbabilities = new float[n * k];
    entropy = metrics.entropy() ? new float[n] : null;
    logSumExp = metrics.logSumExp() ? new float[n] : null;
    targets =
        t == 0
            ? null
            : new LensTargets(
                t, new int[n * t], new float[n * t], new float[n * t], new int[n * t]);
    kl = metrics.kl() ? new float[n] : null;
    js = metrics.js() ? new float[n] : null;
  }

  void add(int row, float[] logits, float[] model, int[] wanted) {
    float total = TestModel.logSumExp(logits);
    int k = metrics.topK();
    int[] order =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparing((Integer id) -> -logits[id]))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int rank = 0; rank < k; rank++) {
      topIds[row * k + rank] = order[rank];
      topLogits[row * k + rank] = logits[order[rank]];
      topProbabilities[row * k + rank] = (float) Math.exp(logits[order[rank]] - total);
    }
    for (int i = 0; i < metrics.targetsPerRow(); i++) {
      target(row * metrics.targetsPerRow() + i, logits, total, wanted);
    }
    if (entropy != null) {
      double[] p = probabilities(logits);
      entropy[row] =
          (float) IntStream.range(0, p.length).mapToDouble(i -> -p[i] * Math.log(p[i])).sum();
    }
    if (logSumExp != null) {
      logSumExp[row] = total;
    }
    if (kl != null) {
      kl[row] = (float) kl(probabilities(model), probabilities(logits));
    }
    if (js != null) {
      js[row] = (float) js(probabilities(model), probabilities(logits));
    }
  }

  private void target(int at, float[] logits, float total, int[] wanted) {
    int id = wanted[at];
    targets.ids()[at] = id;
    targets.logits()[at] = id < 0 ? Float.NaN : logits[id];
    targets.logProbabilities()[at] = id < 0 ? Float.NaN : logits[id] - total;
    targets.ranks()[at] =
        id < 0
            ? 0
            : 1
                + (int)
                    IntStream.range(0, logits.length).filter(i -> logits[i] > logits[id]).count();
  }

  LensRows toRows() {
    return new LensRows(
        metrics.topK(), topIds, topLogits, topProbabilities, entropy, logSumExp, targets, kl, js);
  }

  static double[] probabilities(float[] logits) {
    double total = TestModel.logSumExp(logits);
    return IntStream.range(0, logits.length)
        .mapToDouble(i -> Math.exp(logits[i] - total))
        .toArray();
  }

  static double kl(double[] p, double[] q) {
    return IntStream.range(0, p.length).mapToDouble(i -> p[i] * Math.log(p[i] / q[i])).sum();
  }

  static double js(double[] p, double[] q) {
    double[] m = IntStream.range(0, p.length).mapToDouble(i -> (p[i] + q[i]) / 2).toArray();
    return (kl(p, m) + kl(q, m)) / 2;
  }
}
