package io.lensflow.steering.evaluate;

import io.lensflow.steering.build.AnswerRows;
import io.lensflow.steering.build.Balance;
import io.lensflow.steering.build.BuildMethod;
import io.lensflow.steering.build.BuiltSite;
import io.lensflow.steering.build.LabelOrder;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.build.SiteBuild;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What one pass over the training items gives at several sites: vectors as a build makes them, the
 * same with shuffled labels where controls are wanted, and the plain mean. Used by one thread.
 *
 * <p>Shuffled: of each order of labels, half of the items, drawn at random, have their two answers
 * exchanged. Exactly half, because what all items have in common would else not cancel: a fair coin
 * leaves a tenth of the behaviour in a hundred items, which is all that is seen when the vector is
 * scaled up to the norm of the true one. Of an odd number one is left out.
 */
final class TrainRows {
  /** What becomes of an item when labels are shuffled. */
  private enum Fate {
    KEPT,
    EXCHANGED,
    /** The odd one of its order. */
    LEFT_OUT
  }

  private final List<ItemPair> pairs;
  private final List<Site> sites;
  private final Map<Site, SiteBuild> builds = new HashMap<>();

  /** Empty if no controls are wanted. */
  private final Map<Site, SiteBuild> shuffled = new HashMap<>();

  private final Fate[] fates;

  /**
   * @param shuffles whether the vectors of shuffled labels are wanted
   * @param seed of the draw
   */
  TrainRows(
      List<ItemPair> pairs,
      List<Site> sites,
      BuildMethod method,
      Balance balance,
      int hiddenSize,
      boolean shuffles,
      long seed) {
    this.pairs = pairs;
    this.sites = sites;
    this.fates = new Fate[pairs.size()];
    Arrays.fill(fates, Fate.LEFT_OUT);
    exchangeHalf(new Random(seed));
    for (Site site : sites) {
      builds.put(site, new SiteBuild(site, method, balance, hiddenSize));
      if (shuffles) {
        shuffled.put(site, new SiteBuild(site, method, balance, hiddenSize));
      }
    }
  }

  /** The training rows of an evaluation that needs some. */
  static TrainRows of(EvaluatePlan plan) {
    return new TrainRows(
        plan.parts().train().pairs(),
        plan.sites(),
        plan.method(),
        plan.balance(),
        plan.model().hiddenSize(),
        plan.controls(),
        plan.seed());
  }

  /** Bytes that these take all together. */
  static long heldBytes(EvaluatePlan plan) {
    List<ItemPair> pairs = plan.parts().train().pairs();
    int hiddenSize = plan.model().hiddenSize();
    long site = SiteBuild.heldBytes(plan.method(), pairs, hiddenSize);
    if (plan.controls()) {
      // Its rows are the same ones; its sums are not.
      site += SiteBuild.heldBytes(BuildMethod.MEAN_DIFFERENCE, pairs, hiddenSize);
    }
    return plan.sites().size() * site;
  }

  private void exchangeHalf(Random random) {
    Map<LabelOrder, List<Integer>> orders =
        IntStream.range(0, pairs.size())
            .boxed()
            .collect(
                Collectors.groupingBy(
                    item -> LabelOrder.of(pairs.get(item)),
                    LinkedHashMap::new,
                    Collectors.toCollection(ArrayList::new)));
    for (List<Integer> items : orders.values()) {
      Collections.shuffle(items, random);
      int half = items.size() / 2;
      items.subList(0, half).forEach(item -> fates[item] = Fate.EXCHANGED);
      items.subList(half, 2 * half).forEach(item -> fates[item] = Fate.KEPT);
    }
  }

  /** Asks for all rows. */
  void gather(Measuring measuring, String series) {
    AnswerRows rows =
        new AnswerRows(
            measuring.model(),
            pairs,
            sites,
            new AnswerRows.Sink() {
              @Override
              public void rows(int item, Map<Site, float[]> matching, Map<Site, float[]> other) {
                take(item, matching, other);
              }

              @Override
              public void failed(int item, String reason) {
                throw new IllegalStateException(
                    "train item %d: %s".formatted(pairs.get(item).item().number(), reason));
              }
            });
    measuring
        .pipeline()
        .run(
            measuring.job(),
            rows.requests(series),
            (index, answer) -> {
              rows.take(index, answer);
              measuring.advance(1);
            });
  }

  /** Takes both rows of an item. */
  void take(int item, Map<Site, float[]> matching, Map<Site, float[]> other) {
    LabelOrder order = LabelOrder.of(pairs.get(item));
    for (Site site : sites) {
      float[] plus = matching.get(site);
      float[] minus = other.get(site);
      builds.get(site).add(item, order, plus, minus);
      if (!shuffled.isEmpty()) {
        shuffle(item, shuffled.get(site), plus, minus);
      }
    }
  }

  private void shuffle(int item, SiteBuild build, float[] plus, float[] minus) {
    LabelOrder order = LabelOrder.of(pairs.get(item));
    switch (fates[item]) {
      case KEPT -> build.add(item, order, plus, minus);
      case EXCHANGED -> build.add(item, order.reversed(), minus, plus);
      case LEFT_OUT -> {}
    }
  }

  /** The vectors as a build makes them; sites at which they are zero are left out. */
  List<BuiltSite> vectors() {
    return sites.stream().flatMap(site -> builds.get(site).build().stream()).toList();
  }

  /**
   * The vector of shuffled labels at a site, where they are wanted; empty if it is zero.
   *
   * @throws RefusedException if no item is left to build it from
   */
  Optional<BuiltSite> shuffled(Site site) {
    return shuffled.get(site).build();
  }

  /** The plain mean difference at a site; empty if it is zero. */
  Optional<BuiltSite> plain(Site site) {
    return builds.get(site).plainMean();
  }

  /** Items that the balance cannot use, since none has the reverse order. */
  int skippedForBalance() {
    SiteBuild any = builds.get(sites.get(0));
    return (int) pairs.stream().filter(pair -> !any.uses(LabelOrder.of(pair))).count();
  }
}
