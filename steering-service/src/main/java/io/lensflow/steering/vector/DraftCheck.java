package io.lensflow.steering.vector;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.text.spec.PositionSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Checks drafts, so that what reaches the topics can be applied by a worker. A model without live
 * workers is accepted with what the draft says of itself: vectors may be published before the
 * workers start, and a worker checks again for itself. The answer then warns. Immutable and
 * thread-safe.
 */
public final class DraftCheck {
  private static final Pattern ITEMS = Pattern.compile("\\d{1,9}(-\\d{1,9})?");

  /** The longest vector that fits into a record with room to spare. */
  static final int MAX_HIDDEN_SIZE = 131_072;

  private final int maxSites;

  /**
   * @param maxSites most sites of one version
   */
  public DraftCheck(int maxSites) {
    this.maxSites = maxSites;
  }

  /**
   * Checks a draft.
   *
   * @param draft what shall be published
   * @param model served name of the model
   * @param live shapes of the live workers of that model; may be empty
   * @return warnings for who publishes it; empty if there is nothing to say
   * @throws RefusedException naming the field and the fix
   */
  public List<String> check(VectorDraft draft, String model, List<ModelShape> live) {
    if (draft.sites().isEmpty()) {
      throw RefusedException.invalid("sites", "a vector needs at least one site");
    }
    if (draft.sites().size() > maxSites) {
      throw RefusedException.invalid(
          "sites",
          "%d sites are more than the %d allowed".formatted(draft.sites().size(), maxSites));
    }
    checkDefaults(draft);
    Map<String, SiteDraft> places = new HashMap<>();
    int hiddenSize = draft.sites().get(0).values().length;
    for (SiteDraft site : draft.sites()) {
      checkPlace(site, places);
      checkValues(site, hiddenSize);
    }
    if (live.isEmpty()) {
      return List.of(
          "no live worker serves model '%s': length and layers are not checked; workers check them when they load it"
              .formatted(model));
    }
    for (SiteDraft site : draft.sites()) {
      checkFits(site, model, live);
    }
    return revisionWarnings(draft, live);
  }

  private static void checkDefaults(VectorDraft draft) {
    if (draft.operation() == SteeringOperation.UNKNOWN) {
      throw RefusedException.invalid(
          "operation", "use ADD, ADD_NORM_MATCHED, ABLATE or PROJECT_TO");
    }
    try {
      PositionSpec.parse(draft.positions());
    } catch (IllegalArgumentException e) {
      throw RefusedException.invalid("positions", e.getMessage());
    }
    checkProvenance(draft.provenance());
  }

  private static void checkProvenance(Provenance provenance) {
    if (provenance.pairCount() < 0) {
      throw RefusedException.invalid("pairCount", "must not be negative");
    }
    checkItems("items", provenance.items());
    checkItems("chosenBy", provenance.chosenBy());
  }

  private static void checkItems(String field, String items) {
    if (items.isEmpty()) {
      return;
    }
    for (String part : items.split(",", -1)) {
      if (!ITEMS.matcher(part).matches()) {
        throw RefusedException.invalid(
            field, "'%s' must be numbers of items, such as 0-79,90".formatted(part));
      }
    }
  }

  private static void checkPlace(SiteDraft site, Map<String, SiteDraft> places) {
    if (site.hookPoint() == HookPoint.UNKNOWN) {
      throw RefusedException.invalid(
          site.field() + "hookPoint", "use " + hookPoints() + ", not UNKNOWN");
    }
    if (site.layer() < 0) {
      throw RefusedException.invalid(
          site.field() + "layer", "is %d; layers count from 0".formatted(site.layer()));
    }
    SiteDraft other = places.putIfAbsent(site.hookPoint() + "/" + site.layer(), site);
    if (other != null) {
      throw RefusedException.invalid(
          site.field() + "layer",
          "%s of layer %d is there twice; a version has one vector at a place"
              .formatted(site.hookPoint(), site.layer()));
    }
  }

  private static void checkValues(SiteDraft site, int hiddenSize) {
    String field = site.field() + "values";
    float[] values = site.values();
    if (values.length == 0 || values.length > MAX_HIDDEN_SIZE) {
      throw RefusedException.invalid(
          field, "has %d values; 1 … %d can be".formatted(values.length, MAX_HIDDEN_SIZE));
    }
    if (values.length != hiddenSize) {
      throw RefusedException.invalid(
          field,
          "has %d values, the first site has %d; all sites of a vector have the model's hidden size"
              .formatted(values.length, hiddenSize));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw RefusedException.invalid(
            "%s[%d]".formatted(field, i),
            "is %s in float32; every value must be finite".formatted(values[i]));
      }
    }
    if (Float32.norm(values) == 0) {
      throw RefusedException.invalid(field, "has norm 0; a vector needs a direction");
    }
  }

  /** A vector must fit one live worker at least: during a roll-out they may differ. */
  private static void checkFits(SiteDraft site, String model, List<ModelShape> live) {
    int length = site.values().length;
    List<ModelShape> sameLength =
        live.stream().filter(shape -> shape.hiddenSize() == length).toList();
    if (sameLength.isEmpty()) {
      throw RefusedException.invalid(
          site.field() + "values",
          "has %d values; model '%s' has hidden size %d (worker '%s')"
              .formatted(length, model, live.get(0).hiddenSize(), live.get(0).worker()));
    }
    int layers = sameLength.stream().mapToInt(ModelShape::layers).max().orElseThrow();
    if (site.layer() >= layers) {
      throw RefusedException.invalid(
          site.field() + "layer",
          "is %d; model '%s' has layers 0 … %d".formatted(site.layer(), model, layers - 1));
    }
  }

  private static List<String> revisionWarnings(VectorDraft draft, List<ModelShape> live) {
    List<String> warnings = new ArrayList<>();
    if (draft.revision() != null) {
      live.stream()
          .filter(shape -> !shape.revision().equals(draft.revision()))
          .map(
              shape ->
                  "worker '%s' runs revision '%s' and will refuse a vector for revision '%s'"
                      .formatted(shape.worker(), shape.revision(), draft.revision()))
          .forEach(warnings::add);
    }
    return warnings;
  }

  private static String hookPoints() {
    List<String> names = new ArrayList<>();
    for (HookPoint hookPoint : HookPoint.values()) {
      if (hookPoint != HookPoint.UNKNOWN) {
        names.add(hookPoint.toString());
      }
    }
    return String.join(", ", names);
  }
}
