package io.lensflow.engine.lens;

import java.util.List;

/**
 * Merges what the runs of the vocabulary say about some rows of a batch, and writes it into the
 * whole's arrays. Not thread-safe.
 *
 * @param to the whole's results
 * @param metrics what is asked for
 * @param first the chunk's first row there
 * @param n its rows
 */
record ChunkResult(LensRows to, LensMetrics metrics, int first, int n) {
  /**
   * Top-k, entropy, logSumExp and targets.
   *
   * @param targetLogits [n, T]; null for none
   * @return the sums over the whole vocabulary
   */
  RowSums write(List<RunSummary> parts, float[] targetLogits) {
    RowSums sums = new RowSums(n);
    parts.forEach(part -> sums.add(part.sums()));
    for (int row = 0; row < n; row++) {
      if (metrics.entropy()) {
        to.entropy()[first + row] = (float) sums.entropy(row);
      }
      if (metrics.logSumExp()) {
        to.logSumExp()[first + row] = (float) sums.logSumExp(row);
      }
    }
    if (metrics.topK() > 0) {
      writeTop(parts, sums);
    }
    if (targetLogits != null) {
      writeTargets(parts, sums, targetLogits);
    }
    return sums;
  }

  private void writeTop(List<RunSummary> parts, RowSums sums) {
    int k = metrics.topK();
    TopTokens top = new TopTokens(n, k);
    parts.forEach(part -> top.add(part.top()));
    for (int row = 0; row < n; row++) {
      double logSumExp = sums.logSumExp(row);
      for (int rank = 0; rank < k; rank++) {
        int at = (first + row) * k + rank;
        to.topIds()[at] = top.id(row, rank);
        to.topLogits()[at] = top.logit(row, rank);
        to.topProbabilities()[at] = (float) Math.exp(top.logit(row, rank) - logSumExp);
      }
    }
  }

  private void writeTargets(List<RunSummary> parts, RowSums sums, float[] logits) {
    LensTargets targets = to.targets();
    int t = targets.perRow();
    for (int i = 0; i < n * t; i++) {
      int at = first * t + i;
      int greater = 0;
      for (RunSummary part : parts) {
        greater += part.greater()[i];
      }
      boolean asked = targets.ids()[at] >= 0;
      targets.logits()[at] = logits[i];
      targets.logProbabilities()[at] = (float) (logits[i] - sums.logSumExp(i / t));
      targets.ranks()[at] = asked ? 1 + greater : 0;
    }
  }

  void writeKl(Divergence divergence) {
    for (int row = 0; row < n; row++) {
      to.kl()[first + row] = (float) divergence.kl(row);
    }
  }

  /**
   * @param mixtures each run's share, [n]
   */
  void writeJs(Divergence divergence, List<float[]> mixtures) {
    for (int row = 0; row < n; row++) {
      double sum = 0;
      for (float[] mixture : mixtures) {
        sum += mixture[row];
      }
      to.js()[first + row] = (float) divergence.js(row, sum);
    }
  }
}
