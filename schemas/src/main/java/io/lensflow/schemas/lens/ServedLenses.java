package io.lensflow.schemas.lens;

import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a request may ask of a lens. Whoever admits a request refuses the rest by field, so that no
 * subscriber waits for an array that stays null. Thread-safe.
 *
 * <p>Which translators exist is known to the decoder alone, which loads them while it runs: here a
 * name only has to be one that a translator could have. A name that no decoder knows is answered by
 * gaps that list those it has.
 */
public final class ServedLenses {
  /** The plain logit lens: final norm and head, no translator. */
  public static final String LOGIT = "logit";

  /** Every metric that the records can name; all are computed. */
  public static final Set<LensMetric> METRICS =
      Set.copyOf(EnumSet.complementOf(EnumSet.of(LensMetric.UNKNOWN)));

  /** Most tokens that a lens may report per row and layer. */
  public static final int MAX_TOP_K = 1_000;

  /** Most targets that a request may name per lens, ids and texts together. */
  public static final int MAX_TARGETS = 1_000;

  /** Most vectors that a lens may project rows onto. */
  public static final int MAX_PROJECTIONS = 64;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  private static final Pattern VECTOR = Pattern.compile("[^@\\s]+@\\d{1,9}");

  private ServedLenses() {}

  /**
   * What of a lens is refused.
   *
   * @param field the field of the lens at fault
   * @param message one sentence: what is wrong, and what would be right
   */
  public record Refusal(String field, String message) {}

  /** Whether a lens, translators included, may have this name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Whether this names a version of a steering vector: {@code NAME@VERSION}. */
  public static boolean isVector(String name) {
    return VECTOR.matcher(name).matches();
  }

  /** The first thing that no decoder of any model could answer, if any. */
  public static Optional<Refusal> refusal(LensRequest lens) {
    return refusal(lens, Integer.MAX_VALUE);
  }

  /**
   * The first thing that no decoder of this model could answer, if any.
   *
   * @param vocabularySize V
   */
  public static Optional<Refusal> refusal(LensRequest lens, int vocabularySize) {
    return Optional.ofNullable(
        firstOf(
            name(lens),
            symbols(lens),
            topK(lens, Math.min(MAX_TOP_K, vocabularySize)),
            targets(lens, vocabularySize),
            projections(lens)));
  }

  private static Refusal firstOf(Refusal... refusals) {
    return Arrays.stream(refusals).filter(refusal -> refusal != null).findFirst().orElse(null);
  }

  private static Refusal name(LensRequest lens) {
    return isName(lens.getName())
        ? null
        : new Refusal(
            "name",
            ("'%s' cannot be a lens: a name has 1 … 100 letters, digits, '.', '_' or '-' and begins"
                    + " with a letter or digit, such as '%s'")
                .formatted(lens.getName(), LOGIT));
  }

  private static Refusal symbols(LensRequest lens) {
    if (lens.getMetrics().contains(LensMetric.UNKNOWN)) {
      return new Refusal(
          "metrics", "a metric is not known here; known are %s".formatted(known(METRICS)));
    }
    if (lens.getMetrics().isEmpty()) {
      return new Refusal(
          "metrics", "no metric is asked for; choose from %s".formatted(known(METRICS)));
    }
    if (lens.getAccuracy() == LensAccuracy.UNKNOWN) {
      return new Refusal("accuracy", "the accuracy is not known here; known are FAST and EXACT");
    }
    if (lens.getNormScale() == NormScale.UNKNOWN) {
      return new Refusal("normScale", "the norm scale is not known here; known are OWN and FINAL");
    }
    return null;
  }

  private static List<LensMetric> known(Set<LensMetric> metrics) {
    return metrics.stream().sorted().toList();
  }

  private static Refusal topK(LensRequest lens, int max) {
    boolean asked = lens.getMetrics().contains(LensMetric.TOP_K);
    return !asked || (lens.getTopK() >= 1 && lens.getTopK() <= max)
        ? null
        : new Refusal("topK", "topK is %d; it must be 1 … %d".formatted(lens.getTopK(), max));
  }

  private static Refusal targets(LensRequest lens, int vocabularySize) {
    int targets = lens.getTargetIds().size() + lens.getTargetTexts().size();
    if (targets > MAX_TARGETS) {
      return new Refusal(
          "targetIds",
          "%d targets, ids and texts together; at most %d are allowed"
              .formatted(targets, MAX_TARGETS));
    }
    for (int i = 0; i < lens.getTargetIds().size(); i++) {
      int id = lens.getTargetIds().get(i);
      if (id < 0 || id >= vocabularySize) {
        return new Refusal(
            "targetIds[%d]".formatted(i),
            "token id %d is not of this vocabulary; ids are 0 … %d"
                .formatted(id, vocabularySize - 1));
      }
    }
    return null;
  }

  private static Refusal projections(LensRequest lens) {
    List<String> vectors = lens.getProjections();
    if (vectors.isEmpty() && lens.getMetrics().contains(LensMetric.PROJECTIONS)) {
      return new Refusal(
          "projections", "the metric PROJECTIONS needs at least one vector, such as calm@3");
    }
    if (vectors.size() > MAX_PROJECTIONS) {
      return new Refusal(
          "projections",
          "%d vectors; at most %d are allowed".formatted(vectors.size(), MAX_PROJECTIONS));
    }
    return vectors.stream()
        .filter(vector -> !isVector(vector))
        .findFirst()
        .map(
            vector ->
                new Refusal(
                    "projections", "'%s' must be NAME@VERSION, such as calm@3".formatted(vector)))
        .orElse(null);
  }
}
