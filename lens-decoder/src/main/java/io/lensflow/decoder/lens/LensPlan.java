package io.lensflow.decoder.lens;

import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.schemas.lens.ServedLenses;
import java.util.EnumSet;
import java.util.Set;

/**
 * What one lens of a request comes to in this decoder. Immutable.
 *
 * @param name name of the lens
 * @param topK tokens to report per row; 0 if not asked for
 * @param entropy whether to report the entropy
 * @param logSumExp whether to report log Σ exp
 * @param unsupported metrics that were asked for and that this decoder cannot compute; their fields
 *     stay null
 */
public record LensPlan(
    String name, int topK, boolean entropy, boolean logSumExp, Set<LensMetric> unsupported) {
  public LensPlan {
    unsupported = Set.copyOf(unsupported);
  }

  /** Reads a request that {@code ChunkVerifier} has passed. */
  public static LensPlan of(LensRequest request) {
    Set<LensMetric> asked = EnumSet.noneOf(LensMetric.class);
    asked.addAll(request.getMetrics());
    Set<LensMetric> unsupported = EnumSet.copyOf(asked);
    unsupported.removeAll(ServedLenses.METRICS);
    return new LensPlan(
        request.getName(),
        asked.contains(LensMetric.TOP_K) ? request.getTopK() : 0,
        asked.contains(LensMetric.ENTROPY),
        asked.contains(LensMetric.LOG_SUM_EXP),
        unsupported);
  }
}
