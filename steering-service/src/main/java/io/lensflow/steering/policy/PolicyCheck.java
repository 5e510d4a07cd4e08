package io.lensflow.steering.policy;

import static io.lensflow.steering.json.Fields.parsed;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.vector.ModelShape;
import io.lensflow.steering.vector.NamedVector;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.StoredSite;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.text.spec.LayerSpec;
import io.lensflow.text.spec.PositionSpec;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Checks policies, so that what reaches the topic can be applied by a worker. Stateless. */
final class PolicyCheck {
  static final int MAX_LABELS = 32;
  static final int MAX_LABEL_CHARS = 1024;
  static final int MAX_VECTORS = 64;

  /** More layers than any model has: for specs of models that nobody serves now. */
  private static final int SOME_LAYERS = 4096;

  private PolicyCheck() {}

  /**
   * Checks a draft's labels.
   *
   * @throws RefusedException naming the field and the fix
   */
  static void labels(Map<String, String> labels) {
    if (labels.size() > MAX_LABELS) {
      throw RefusedException.invalid(
          "matchLabels",
          "%d labels are more than the %d allowed".formatted(labels.size(), MAX_LABELS));
    }
    labels.forEach(
        (label, value) -> {
          if (label.isBlank()
              || label.length() > MAX_LABEL_CHARS
              || value.length() > MAX_LABEL_CHARS) {
            throw RefusedException.invalid(
                "matchLabels",
                "label '%s' must have a name, and name and value at most %d characters"
                    .formatted(label, MAX_LABEL_CHARS));
          }
        });
  }

  /**
   * Checks one of a draft's vectors.
   *
   * @param field its path
   * @param vector what is known of the vector that it names
   * @param live shapes of the live workers of the model; may be empty
   * @throws RefusedException naming the field and the fix
   */
  static void vector(
      String field, SteeringRequest wish, NamedVector vector, List<ModelShape> live) {
    if (!Float.isFinite(wish.getMultiplier())) {
      throw RefusedException.invalid(
          field + ".multiplier",
          "is %s; it must be a finite number".formatted(wish.getMultiplier()));
    }
    if (wish.getOperation() == SteeringOperation.UNKNOWN
        || wish.getHookPoint() == HookPoint.UNKNOWN) {
      throw RefusedException.invalid(
          field, "operation and hookPoint must be known ones, or absent");
    }
    if (wish.getPositions() != null) {
      parsed(field + ".positions", () -> PositionSpec.parse(wish.getPositions()));
    }
    StoredVersion version = version(field, wish, vector);
    int layers = live.stream().mapToInt(ModelShape::layers).max().orElse(SOME_LAYERS);
    if (wish.getLayers() != null) {
      parsed(field + ".layers", () -> LayerSpec.resolve(wish.getLayers(), layers));
    }
    // Without a worker nobody knows which layer -1 is.
    boolean decidable = wish.getLayers() == null || !live.isEmpty();
    if (decidable && sites(wish, version, layers).findAny().isEmpty()) {
      throw RefusedException.invalid(
          field + (wish.getLayers() == null ? ".hookPoint" : ".layers"),
          "vector '%s' version %d has no site there; it has %s"
              .formatted(
                  wish.getName(),
                  version.version(),
                  version.sites().stream().map(s -> s.hookPoint() + "/" + s.layer()).toList()));
    }
  }

  private static StoredVersion version(String field, SteeringRequest wish, NamedVector vector) {
    try {
      // It would keep the job from retiring what is its own.
      Names.checkFreeVector(wish.getName());
      if (wish.getVersion() != null) {
        if (wish.getAlias() != null) {
          throw RefusedException.invalid(
              "version", "version and alias are both set; name one of them");
        }
        return vector.existing().version(wish.getVersion());
      }
      String alias = wish.getAlias() == null ? Names.LATEST : wish.getAlias();
      return vector.version(vector.existing().alias(alias));
    } catch (RefusedException e) {
      throw RefusedException.invalid(field + "." + e.field(), e.detail());
    }
  }

  private static Stream<StoredSite> sites(SteeringRequest wish, StoredVersion version, int layers) {
    Stream<StoredSite> sites = version.sites().stream();
    if (wish.getHookPoint() != null) {
      sites = sites.filter(site -> site.hookPoint() == wish.getHookPoint());
    }
    if (wish.getLayers() != null) {
      List<Integer> chosen = LayerSpec.resolve(wish.getLayers(), layers);
      sites = sites.filter(site -> chosen.contains(site.layer()));
    }
    return sites;
  }
}
