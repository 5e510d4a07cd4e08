package io.lensflow.schemas.lens;

import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The lenses and metrics that this version's decoder computes. The records can name more than that:
 * whoever admits a request refuses the rest by name, so that no subscriber waits for a field that
 * stays null. Thread-safe.
 */
public final class ServedLenses {
  /** The plain logit lens: final norm and head, no translator. */
  public static final String LOGIT = "logit";

  /** Metrics that are computed, on either accuracy path. */
  public static final Set<LensMetric> METRICS =
      Set.copyOf(EnumSet.of(LensMetric.TOP_K, LensMetric.ENTROPY, LensMetric.LOG_SUM_EXP));

  private ServedLenses() {}

  /**
   * What of a lens is not served.
   *
   * @param field the field of the lens at fault
   * @param message one sentence: what is not there, and what is
   */
  public record Refusal(String field, String message) {}

  /** Whether a lens of this name is served. */
  public static boolean isServed(String name) {
    return name.equals(LOGIT);
  }

  /** The first thing that is not served, if any. */
  public static Optional<Refusal> refusal(LensRequest lens) {
    if (!isServed(lens.getName())) {
      return Optional.of(
          new Refusal(
              "name", "there is no lens '%s'; there is '%s'".formatted(lens.getName(), LOGIT)));
    }
    return lens.getMetrics().stream()
        .filter(metric -> !METRICS.contains(metric))
        .findFirst()
        .map(
            metric ->
                new Refusal(
                    "metrics",
                    "the metric %s is not computed by this version; TOP_K, ENTROPY and LOG_SUM_EXP are"
                        .formatted(metric)));
  }
}
