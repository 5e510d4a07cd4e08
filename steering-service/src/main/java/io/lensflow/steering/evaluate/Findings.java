package io.lensflow.steering.evaluate;

import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.build.LabelOrder;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.evaluate.Evaluation.ByLabel;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import io.lensflow.steering.evaluate.Evaluation.Item;
import io.lensflow.steering.evaluate.Evaluation.SideEffects;
import io.lensflow.steering.evaluate.Evaluation.Sweep;
import io.lensflow.steering.items.ContrastiveItem;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.items.ItemPairs;
import io.lensflow.steering.items.ItemRange;
import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.Provenance;
import io.lensflow.steering.vector.SiteDraft;
import io.lensflow.steering.vector.VectorDraft;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Puts together what an evaluation found. Used by one thread. */
final class Findings {
  /** Items at each end that a result holds in full: a result must fit into a record. */
  private static final int ENDS = 10;

  /** Skipped lines beyond these are counted only. */
  private static final int QUOTED = 100;

  private final EvaluatePlan plan;
  private final List<SiteDraft> sites;
  private final Double labelShare;
  private final TrainRows train;

  /**
   * @param sites the vector that was judged
   * @param labelShare |cos(v, label direction)|; null if not known
   * @param train rows of the training items; null if there are none
   */
  Findings(EvaluatePlan plan, List<SiteDraft> sites, Double labelShare, TrainRows train) {
    this.plan = plan;
    this.sites = sites;
    this.labelShare = labelShare;
    this.train = train;
  }

  /** What was measured, beside the propensities. */
  record Measured(
      Controls controls,
      Sweep sweep,
      SideEffects sideEffects,
      List<Generation> generations,
      long requests,
      double seconds,
      Instant endedAt) {}

  /**
   * All of it.
   *
   * @param propensity [1 + controls, items, multipliers]
   */
  Evaluation of(double[][][] propensity, Measured measured) {
    double[] multipliers = plan.multipliers().stream().mapToDouble(m -> m).toArray();
    Steerability found = Steerability.of(multipliers, propensity[0], plan.seed());
    boolean single = sites.size() == 1;
    BuiltSite plain =
        train == null || !single ? null : train.plain(Site.of(sites.get(0))).orElse(null);
    return new Evaluation(
        plan.vector().model(),
        plan.model().revision(),
        plan.isSweep()
            ? plan.vector().name()
            : plan.vector().name() + "@" + plan.version().version(),
        plan.isSweep() ? plan.method().name() : plan.version().manifest().getMethod(),
        plan.data().name(),
        plan.data().sha256(),
        plan.format().label(),
        single ? sites.get(0).hookPoint().name() : null,
        single ? sites.get(0).layer() : null,
        sites.stream()
            .map(
                s -> new Evaluation.Site(s.hookPoint().name(), s.layer(), Float32.norm(s.values())))
            .toList(),
        plan.positions(),
        numbers(plan.parts().train()),
        numbers(plan.parts().validation()),
        numbers(plan.parts().test()),
        plan.parts().repeated(),
        plan.multipliers(),
        train == null ? null : plan.balance().name(),
        plain == null ? null : plain.labelShare(),
        labelShare,
        plain == null ? null : plain.norm(),
        EqualNorm.norm(sites),
        train == null ? null : train.skippedForBalance(),
        List.of(found.propensity()),
        list(found.slopes()),
        found.overall().mean(),
        found.overall().deviation(),
        found.overall().antiSteerable(),
        found.meanSlopeInterval(),
        list(found.meanCurve()),
        list(found.deviationCurve()),
        found.r2(),
        found.spearman(),
        byLabel(found),
        ends(found),
        plan.parts().skipped().size(),
        plan.parts().skipped().stream().limit(QUOTED).toList(),
        plan.parts().moreThanTwoChoices(),
        warnings(measured.controls()),
        measured.controls().of(Arrays.asList(propensity).subList(1, propensity.length)),
        measured.sideEffects(),
        measured.generations(),
        measured.sweep(),
        measured.requests(),
        plan.seed(),
        measured.seconds(),
        measured.endedAt().truncatedTo(ChronoUnit.SECONDS).toString());
  }

  private List<String> warnings(Controls controls) {
    List<String> warnings = new ArrayList<>(controls.warnings());
    if (plan.isOriginUnknown()) {
      warnings.add(
          "the vector was built from these data, but its version does not say from which items: test items may be among them");
    }
    return warnings;
  }

  private static List<Integer> numbers(ItemPairs items) {
    return items == null
        ? List.of()
        : items.pairs().stream().map(pair -> pair.item().number()).toList();
  }

  private List<ByLabel> byLabel(Steerability found) {
    List<ItemPair> pairs = plan.parts().test().pairs();
    Map<LabelOrder, List<Integer>> groups =
        IntStream.range(0, pairs.size())
            .boxed()
            .collect(
                Collectors.groupingBy(
                    i -> LabelOrder.of(pairs.get(i)), LinkedHashMap::new, Collectors.toList()));
    return groups.entrySet().stream()
        .map(
            group ->
                new ByLabel(
                    plan.tokenizer().decode(group.getKey().matching()),
                    plan.tokenizer().decode(group.getKey().other()),
                    found.among(group.getValue().stream().mapToInt(i -> i).toArray())))
        .sorted(Comparator.comparing(ByLabel::matching).thenComparing(ByLabel::other))
        .toList();
  }

  private List<Item> ends(Steerability found) {
    List<ItemPair> pairs = plan.parts().test().pairs();
    List<Integer> order =
        IntStream.range(0, pairs.size())
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -found.slopes()[i]))
            .toList();
    return IntStream.range(0, order.size())
        .filter(place -> place < ENDS || place >= order.size() - ENDS)
        .mapToObj(
            place -> {
              int i = order.get(place);
              ContrastiveItem item = pairs.get(i).item();
              return new Item(
                  item.number(),
                  item.line(),
                  item.question(),
                  item.matching(),
                  item.other(),
                  found.slopes()[i]);
            })
        .toList();
  }

  /** The vector as a version of its name; for a sweep. */
  VectorDraft draft(String actor) {
    return new VectorDraft(
        plan.manifest().getRevision(),
        sites,
        plan.manifest().getOperation(),
        plan.manifest().getPositions(),
        plan.manifest().getPreserveNorm(),
        new Provenance(
            plan.method().name(),
            plan.data().name(),
            plan.data().sha256(),
            plan.parts().train().pairs().size(),
            range(plan.parts().train()),
            range(plan.parts().validation()),
            plan.balance().name(),
            labelShare),
        actor,
        "the best site of a sweep over %d, chosen by %d validation items"
            .formatted(plan.sweep().size(), plan.parts().validation().pairs().size()),
        List.of(),
        null);
  }

  private static String range(ItemPairs pairs) {
    return ItemRange.format(
        pairs.pairs().stream().map(pair -> pair.item().number()).sorted().toList());
  }

  /** As JSON wants it. */
  static List<Double> list(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }
}
