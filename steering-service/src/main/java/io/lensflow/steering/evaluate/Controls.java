package io.lensflow.steering.evaluate;

import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.evaluate.Evaluation.Control;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Vectors of equal norm that are measured beside the one that is judged. Used by one thread. */
final class Controls {
  private static final String NOT_SHUFFLED = "no control of shuffled labels: ";

  private record Made(String kind, List<SiteDraft> sites, Double builtNorm) {}

  private final EvaluatePlan plan;
  private final List<SiteDraft> judged;
  private final TemporaryVectors temporary;
  private final List<Made> made = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /**
   * @param judged the vector that they are compared with
   * @param train rows of the training items at its sites; null if there are none
   */
  Controls(EvaluatePlan plan, List<SiteDraft> judged, TrainRows train, TemporaryVectors temporary) {
    this.plan = plan;
    this.judged = judged;
    this.temporary = temporary;
    if (plan.controls()) {
      made.add(new Made(Evaluation.RANDOM, EqualNorm.random(judged, plan.seed()), null));
      if (train == null) {
        warnings.add(
            NOT_SHUFFLED
                + "it is not known what the vector was built from, since no job is listed that built it from these data; say train");
      } else {
        shuffled(train);
      }
    }
  }

  /** Why controls are missing; empty if none is, or none was asked for. */
  List<String> warnings() {
    return warnings;
  }

  private void shuffled(TrainRows train) {
    List<SiteDraft> sites = new ArrayList<>();
    List<SiteDraft> raw = new ArrayList<>();
    for (SiteDraft site : judged) {
      Optional<BuiltSite> built = shuffledAt(train, Site.of(site));
      if (built.isEmpty()) {
        return; // a vector that lacks a site cannot be compared with one that has it
      }
      SiteDraft draft = built.get().draft(site.field());
      raw.add(draft);
      sites.add(EqualNorm.scaled(draft, site));
    }
    made.add(new Made(Evaluation.SHUFFLED_LABELS, sites, EqualNorm.norm(raw)));
  }

  /** Few items of few orders can leave nothing to build from. */
  private Optional<BuiltSite> shuffledAt(TrainRows train, Site site) {
    try {
      Optional<BuiltSite> built = train.shuffled(site);
      if (built.isEmpty()) {
        warnings.add(
            NOT_SHUFFLED
                + "at %s the training items leave nothing of it; train on more items"
                    .formatted(site));
      }
      return built;
    } catch (RefusedException e) {
      warnings.add(NOT_SHUFFLED + "at %s %s".formatted(site, e.detail()));
      return Optional.empty();
    }
  }

  /** Publishes them while the job runs; in this order {@link #of} takes what was measured. */
  List<SteeredBy> publish() {
    return made.stream()
        .map(
            one -> new SteeredBy(temporary.name(), temporary.version(one.kind(), one::sites), null))
        .toList();
  }

  /**
   * What they did.
   *
   * @param propensity [controls, items, multipliers]
   */
  List<Control> of(List<double[][]> propensity) {
    double[] multipliers = plan.multipliers().stream().mapToDouble(m -> m).toArray();
    List<Control> controls = new ArrayList<>();
    for (int i = 0; i < made.size(); i++) {
      Made one = made.get(i);
      Steerability found = Steerability.of(multipliers, propensity.get(i), plan.seed());
      controls.add(
          new Control(
              one.kind(),
              EqualNorm.norm(one.sites()),
              one.builtNorm(),
              EqualNorm.cosine(judged, one.sites()),
              found.overall(),
              found.meanSlopeInterval(),
              Findings.list(found.meanCurve()),
              Findings.list(found.deviationCurve())));
    }
    return controls;
  }
}
