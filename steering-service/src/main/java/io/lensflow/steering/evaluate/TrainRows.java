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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one pass over the training items gives at several sites: vectors as a build makes them, the
 * same with shuffled labels, and the plain mean. Used by one thread.
 *
 * <p>Shuffled: each item's two answers are exchanged or not, by the toss of a coin. Everything that
 * the items share but the behaviour stays.
 */
final class TrainRows {
  private static final Logger log = LoggerFactory.getLogger(TrainRows.class);

  private final List<ItemPair> pairs;
  private final List<Site> sites;
  private final Map<Site, SiteBuild> builds = new HashMap<>();
  private final Map<Site, SiteBuild> shuffled = new HashMap<>();
  private final Map<Site, SiteBuild> plain = new HashMap<>();
  private final boolean[] exchanged;

  /**
   * @param seed of the coin
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
    Random coin = new Random(seed);
    for (int item = 0; item < exchanged.length; item++) {
      exchanged[item] = coin.nextBoolean();
    }
    for (Site site : sites) {
      builds.put(site, new SiteBuild(site, method, balance, hiddenSize));
      shuffled.put(site, new SiteBuild(site, method, balance, hiddenSize));
      plain.put(site, new SiteBuild(site, BuildMethod.MEAN_DIFFERENCE, Balance.NONE, hiddenSize));
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

  /** The vectors as a build makes them; sites at which there is none are left out. */
  Map<Site, BuiltSite> vectors() {
    Map<Site, BuiltSite> built = new LinkedHashMap<>();
    for (Site site : sites) {
      try {
        built.put(site, builds.get(site).build());
      } catch (RefusedException e) {
        log.info("{} is left out of the sweep: {}", site, e.getMessage());
      }
    }
    return built;
  }

  /**
   * The vector of shuffled labels at a site.
   *
   * @throws RefusedException if there is none
   */
  BuiltSite shuffled(Site site) {
    return shuffled.get(site).build();
  }

  /**
   * The plain mean difference at a site.
   *
   * @throws RefusedException if it is zero
   */
  BuiltSite plain(Site site) {
    return plain.get(site).build();
  }

  /** Items that the balance cannot use, since none has the reverse order. */
  int skippedForBalance() {
    SiteBuild any = builds.get(sites.get(0));
    return (int) pairs.stream().filter(pair -> !any.uses(LabelOrder.of(pair))).count();
  }
}
