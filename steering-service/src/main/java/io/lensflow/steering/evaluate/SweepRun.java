package io.lensflow.steering.evaluate;

import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.evaluate.Evaluation.Cell;
import io.lensflow.steering.evaluate.Evaluation.Sweep;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the best site: all vectors are the sites of one version, and requests choose one of them.
 * The validation items judge; the test items have no part in it. Used by one thread.
 */
final class SweepRun {
  private final EvaluatePlan plan;
  private final List<BuiltSite> built;
  private final String name;
  private BuiltSite best;

  /**
   * @param built a vector for every site that has one
   * @param name what the version with all of them is named
   */
  SweepRun(EvaluatePlan plan, List<BuiltSite> built, String name) {
    if (built.isEmpty()) {
      throw RefusedException.invalid(
          "sweep", "the vectors at all of the sites are zero; choose later layers");
    }
    this.plan = plan;
    this.built = List.copyOf(built);
    this.name = name;
  }

  /** The sites of the version that requests choose from. */
  List<SiteDraft> drafts() {
    List<SiteDraft> drafts = new ArrayList<>();
    for (BuiltSite site : built) {
      drafts.add(site.draft("sweep[%d].".formatted(drafts.size())));
    }
    return drafts;
  }

  /**
   * Judges every site by the mean slope of the validation items.
   *
   * @param version the version that has {@link #drafts} for sites
   */
  Sweep judge(Measuring measuring, int version) {
    List<SteeredBy> vectors =
        built.stream().map(site -> new SteeredBy(name, version, site.site())).toList();
    List<ItemPair> items = plan.parts().validation().pairs();
    double[][][] propensity =
        new PropensityRun(vectors, items, plan.multipliers(), plan.positions(), plan.zeroIsNone())
            .measure(measuring, "validation");
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < built.size(); i++) {
      BuiltSite site = built.get(i);
      cells.add(
          new Cell(
              site.site().hookPoint().name(),
              site.site().layer(),
              site.norm(),
              site.labelShare(),
              Slopes.of(Steerability.slopes(multipliers(), propensity[i]))));
    }
    Cell chosen =
        cells.stream().max(Comparator.comparingDouble(cell -> cell.slopes().mean())).orElseThrow();
    best = built.get(cells.indexOf(chosen));
    return new Sweep(cells, chosen);
  }

  private double[] multipliers() {
    return plan.multipliers().stream().mapToDouble(m -> m).toArray();
  }

  /** The vector at the best site; after {@link #judge}. */
  BuiltSite best() {
    return best;
  }
}
