package io.lensflow.decoder.lens;

import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What one lens of a request comes to in this decoder. Immutable.
 *
 * @param lens the lens
 * @param metrics what its head is asked for, as the request says: k, T and the rest
 * @param targetIds the targets after the token that came next; T−1 where targets are asked for
 * @param vectors vectors to project rows onto, NAME@VERSION; empty for none
 * @param normScale whose scale the final norm takes
 * @param unsupported metrics that were asked for and that this version does not know; it leaves
 *     them out
 */
public record LensPlan(
    Lens lens,
    LensMetrics metrics,
    List<Integer> targetIds,
    List<String> vectors,
    NormScale normScale,
    Set<LensMetric> unsupported) {
  public LensPlan {
    targetIds = List.copyOf(targetIds);
    vectors = List.copyOf(vectors);
    unsupported = Set.copyOf(unsupported);
  }

  /**
   * Reads a request that {@code ChunkVerifier} has passed.
   *
   * @param fastest the least accurate path that the head has: where that is the exact one, nothing
   *     else can be asked for
   */
  public static LensPlan of(LensRequest request, Lens lens, LensAccuracy fastest) {
    Set<LensMetric> asked = EnumSet.noneOf(LensMetric.class);
    asked.addAll(request.getMetrics());
    boolean targets = asked.contains(LensMetric.TARGETS);
    List<Integer> targetIds = targets ? request.getTargetIds() : List.of();
    LensMetrics metrics =
        new LensMetrics(
            asked.contains(LensMetric.TOP_K) ? request.getTopK() : 0,
            asked.contains(LensMetric.ENTROPY),
            asked.contains(LensMetric.LOG_SUM_EXP),
            targets ? 1 + targetIds.size() : 0,
            asked.contains(LensMetric.KL),
            asked.contains(LensMetric.JS),
            request.getAccuracy() == io.lensflow.records.LensAccuracy.EXACT
                ? LensAccuracy.EXACT
                : fastest);
    Set<LensMetric> unsupported = EnumSet.of(LensMetric.UNKNOWN);
    unsupported.retainAll(asked);
    return new LensPlan(
        lens,
        metrics,
        targetIds,
        asked.contains(LensMetric.PROJECTIONS) ? request.getProjections() : List.of(),
        request.getNormScale() == NormScale.FINAL ? NormScale.FINAL : NormScale.OWN,
        unsupported);
  }

  /** Name of the lens. */
  public String name() {
    return lens.name();
  }

  /** Whether the rows go through the head at all; projections do without. */
  public boolean runsHead() {
    return metrics.topK() > 0
        || metrics.entropy()
        || metrics.logSumExp()
        || metrics.targetsPerRow() > 0
        || metrics.needsModel();
  }

  /** Whether the final norm takes the scale of the model's own last row. */
  public boolean frozenNorm() {
    return normScale == NormScale.FINAL;
  }

  /** Whether it cannot be computed without the model's own last row of each position. */
  public boolean needsFinalRow() {
    return metrics.needsModel() || (frozenNorm() && runsHead());
  }
}
