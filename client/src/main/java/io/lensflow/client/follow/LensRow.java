package io.lensflow.client.follow;

import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.TargetMetrics;
import java.util.ArrayList;
import java.util.List;

/**
 * What one lens says about one row: a single (hook point, layer, position). Immutable.
 *
 * @param hookPoint where the row was taken
 * @param layer 0 … L−1
 * @param position absolute position; the row predicts the token at position + 1
 * @param tokenId token at the position
 * @param tokenText its text
 * @param top the most probable tokens, by falling logit
 * @param entropy nats; null if not asked for
 * @param logSumExp natural; null if not asked for
 * @param kl KL(model ‖ lens) in nats; null if not asked for
 * @param js Jensen–Shannon divergence in nats; null if not asked for
 * @param targets the token that came next and those asked for; empty if not asked for
 * @param projections onto the vectors asked for; empty if not asked for
 */
public record LensRow(
    HookPoint hookPoint,
    int layer,
    int position,
    int tokenId,
    String tokenText,
    List<Candidate> top,
    Float entropy,
    Float logSumExp,
    Float kl,
    Float js,
    List<Target> targets,
    List<Projection> projections) {
  /** One of the most probable tokens; the probability is over the whole vocabulary. */
  public record Candidate(int id, String text, float logit, float probability) {}

  /** A token that was asked for, and where it stands; rank 1 is the most probable. */
  public record Target(int id, String text, float logit, float logProbability, int rank) {}

  /**
   * The row projected onto a steering vector.
   *
   * @param vector NAME@VERSION
   * @param dot h·v̂; NaN where the vector has no site at the row's hook point and layer
   * @param cosine of row and vector; NaN likewise
   */
  public record Projection(String vector, float dot, float cosine) {}

  /**
   * The rows of a result, by layer, then position, as they lie in it; none for a gap.
   *
   * @throws IllegalArgumentException if the result's arrays do not fit its layers and positions
   */
  public static List<LensRow> of(LensResult result) {
    int positions = result.getPositions().size();
    int count = result.getLayers().size() * positions;
    int k = result.getTopK();
    check("tokenIds", result.getTokenIds().size(), positions);
    check("topIds", result.getTopIds().size(), count * k);
    check("topTexts", result.getTopTexts().size(), count * k);
    check("topLogits", result.getTopLogits().size(), count * k);
    check("topProbabilities", result.getTopProbabilities().size(), count * k);
    List<LensRow> rows = new ArrayList<>(count);
    for (int row = 0; row < count; row++) {
      int place = row % positions;
      rows.add(
          new LensRow(
              result.getHookPoint(),
              result.getLayers().get(row / positions),
              result.getPositions().get(place),
              result.getTokenIds().get(place),
              result.getTokenTexts().isEmpty() ? "" : result.getTokenTexts().get(place),
              candidates(result, row * k, k),
              at(result.getEntropy(), "entropy", row, count),
              at(result.getLogSumExp(), "logSumExp", row, count),
              at(result.getKl(), "kl", row, count),
              at(result.getJs(), "js", row, count),
              targets(result.getTargets(), row, count),
              projections(result.getProjections(), row, count)));
    }
    return rows;
  }

  private static List<Candidate> candidates(LensResult result, int from, int k) {
    List<Candidate> top = new ArrayList<>(k);
    for (int i = from; i < from + k; i++) {
      top.add(
          new Candidate(
              result.getTopIds().get(i),
              result.getTopTexts().get(i),
              result.getTopLogits().get(i),
              result.getTopProbabilities().get(i)));
    }
    return List.copyOf(top);
  }

  private static List<Target> targets(TargetMetrics metrics, int row, int count) {
    if (metrics == null) {
      return List.of();
    }
    int n = metrics.getTargetsPerRow();
    check("targets.ids", metrics.getIds().size(), count * n);
    List<Target> targets = new ArrayList<>(n);
    for (int i = row * n; i < (row + 1) * n; i++) {
      if (metrics.getIds().get(i) >= 0) {
        targets.add(
            new Target(
                metrics.getIds().get(i),
                metrics.getTexts().isEmpty() ? "" : metrics.getTexts().get(i),
                metrics.getLogits().get(i),
                metrics.getLogProbabilities().get(i),
                metrics.getRanks().get(i)));
      }
    }
    return List.copyOf(targets);
  }

  private static List<Projection> projections(List<ProjectionMetrics> all, int row, int count) {
    if (all == null) {
      return List.of();
    }
    List<Projection> projections = new ArrayList<>(all.size());
    for (ProjectionMetrics one : all) {
      projections.add(
          new Projection(
              one.getVector(),
              at(one.getDots(), "projections.dots", row, count),
              at(one.getCosines(), "projections.cosines", row, count)));
    }
    return List.copyOf(projections);
  }

  private static Float at(List<Float> values, String name, int row, int count) {
    if (values == null) {
      return null;
    }
    check(name, values.size(), count);
    return values.get(row);
  }

  private static void check(String name, int size, int expected) {
    if (size != expected) {
      throw new IllegalArgumentException(
          "a lens result has %d values in %s where its layers and positions need %d"
              .formatted(size, name, expected));
    }
  }
}
