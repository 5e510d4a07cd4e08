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
 * same with shuffled labels, and the plain mean. Used by one thread.
 *
 * <p>Shuffled: of each order of labels, half of the items, drawn at random, have their two answers
 * exchanged. Exactly half, because what all items have in common would else not cancel: a fair coin
 * leaves a tenth of the behaviour in a hundred items, which is all that is seen when the vector is
 * scaled up to the norm of the true one.
 */
final class TrainRows {
  private final List<ItemPair> pairs;
  private final List<Site> sites;
  private final Map<Site, SiteBuild> builds = new HashMap<>();
  private final Map<Site, SiteBuild> shuffled = new HashMap<>();
  private final Map<Site, SiteBuild> plain = new HashMap<>();
  private final boolean[] exchanged;

  /**
   * @param seed of the draw
   */
  TrainRows(
      List<ItemPair> pairs,
      List<Site> sites,
      BuildMethod method,
      Balance balance,
      int hiddenSize,
      long seed) {
    this.pairs = pairs;
    this.sites = sites;
    this.exchanged = new boolean[pairs.size()];
    exchangeHalf(new Random(seed));
    for (Site site : sites) {
      builds.put(site, new SiteBuild(site, method, balance, hiddenSize));
      shuffled.put(site, new SiteBuild(site, method, balance, hiddenSize));
      plain.put(site, new SiteBuild(site, BuildMethod.MEAN_DIFFERENCE, Balance.NONE, hiddenSize));
    }
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
      items.subList(0, items.size() / 2).forEach(item -> exchanged[item] = true);
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

  private void take(int item, Map<Site, float[]> matching, Map<Site, float[]> other) {
    LabelOrder order = LabelOrder.of(pairs.get(item));
    for (Site site : sites) {
      float[] plus = matching.get(site);
      float[] minus = other.get(site);
      builds.get(site).add(item, order, plus, minus);
      plain.get(site).add(item, order, plus, minus);
      if (exchanged[item]) {
        shuffled.get(site).add(item, order.reversed(), minus, plus);
      } else {
        shuffled.get(site).add(item, order, plus, minus);
      }
    }
  }

  /** The vectors as a build makes them; sites at which they are zero are left out. */
  List<BuiltSite> vectors() {
    return sites.stream().flatMap(site -> builds.get(site).build().stream()).toList();
  }

  /**
   * The vector of shuffled labels at a site; empty if it is zero.
   *
   * @throws RefusedException if no item is left to build it from
   */
  Optional<BuiltSite> shuffled(Site site) {
    return shuffled.get(site).build();
  }

  /** The plain mean difference at a site; empty if it is zero. */
  Optional<BuiltSite> plain(Site site) {
    return plain.get(site).build();
  }

  /** Items that the balance cannot use, since none has the reverse order. */
  int skippedForBalance() {
    SiteBuild any = builds.get(sites.get(0));
    return (int) pairs.stream().filter(pair -> !any.uses(LabelOrder.of(pair))).count();
  }
}
